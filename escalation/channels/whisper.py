"""Saying something to one Slack user only, after their request was answered: Slack waits three seconds for that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from config import logs
from escalation.channels.base import ChannelError
from escalation.channels.slack import Slack

AT_ONCE_MAX = 2

log = logs.get("whisper")


def whisperer(slack: Slack | None) -> Callable[[str, str, str], None]:
    """A function of channel, user and text that returns at once. What cannot be said is logged."""
    if slack is None:
        return lambda channel, user, text: log.info("no Slack to answer on", channel=channel, user=user, text=text)
    pool = ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="whisper")

    def say(channel: str, user: str, text: str) -> None:
        try:
            slack.answer_ephemeral(channel, user, text)
        except ChannelError as error:
            log.warning("answer not delivered to the Slack user", user=user, error=str(error))

    def whisper(channel: str, user: str, text: str) -> None:
        pool.submit(say, channel, user, text)

    return whisper
