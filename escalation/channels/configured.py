"""The ways out that the settings open. A new channel is one file, and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from config import clock, ids
from config.database import Database
from config.settings import Settings
from escalation import responders
from escalation.channels.action_links import Links
from escalation.channels.apprise import Apprise
from escalation.channels.base import OPENED_BY, Channel
from escalation.channels.console import Console
from escalation.channels.email import Email
from escalation.channels.reply_addresses import ReplyAddresses
from escalation.channels.slack import Slack
from escalation.channels.sms import Sms
from escalation.channels.twilio import Account
from escalation.channels.voice import Voice
from escalation.channels.webhook import Webhook
from escalation.console_log import ConsoleLog

SHOWN_IN_DEMO = ("slack", "sms", "voice", "email", "webhook", "apprise")


def channels(settings: Settings, database: Database) -> Mapping[str, Channel]:
    """By name. In demo mode the console stands for every one of them."""
    base_url = settings.base_url.rstrip("/")
    if settings.demo:
        kept = ConsoleLog(database, clock.now)
        return {name: Console(name, kept.record, base_url=base_url) for name in SHOWN_IN_DEMO}
    made: dict[str, Channel] = {
        "webhook": Webhook(webhook_secret(settings)),
        "apprise": Apprise(action_links(settings)),
    }
    if room := slack(settings):
        made["slack"] = room
    if settings.twilio_account_sid:
        account = Account(
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            settings.twilio_from,
            api_url=settings.twilio_api_url,
        )
        made |= {"sms": Sms(account, base_url), "voice": Voice(account, base_url)}
    if settings.smtp_url:
        made["email"] = Email(
            settings.smtp_url,
            settings.smtp_from,
            links=action_links(settings),
            replies=reply_addresses(settings),
            origin=base_url,
        )
    return made


def names(settings: Settings) -> frozenset[str]:
    """Of those that channels() would give."""
    if settings.demo:
        return frozenset(SHOWN_IN_DEMO)
    opened = {
        "slack": settings.slack_bot_token,
        "sms": settings.twilio_account_sid,
        "voice": settings.twilio_account_sid,
        "email": settings.smtp_url,
    }
    return frozenset({"webhook", "apprise", *(name for name, setting in opened.items() if setting)})


def missing(settings: Settings, database: Database) -> list[str]:
    """A sentence for each channel that people are to be reached by and that is not there."""
    there = channels(settings, database)
    with database.reading() as session:
        used = responders.channels_in_use(session)
    return [
        f"{channel} is not configured; people to be reached by it: {people}. {OPENED_BY.get(channel, 'Set its settings')}."
        for channel, people in sorted(used.items())
        if channel not in there
    ]


def slack(settings: Settings) -> Slack | None:
    if not settings.slack_bot_token:
        return None
    return Slack(settings.slack_bot_token, api_url=settings.slack_api_url, mentions=settings.slack_mentions)


def action_links(settings: Settings) -> Links:
    """Makes and reads the links in messages that act."""
    return Links(settings.base_url, ids.derived_secret(settings.secret_key, "act"))


def reply_addresses(settings: Settings) -> ReplyAddresses | None:
    """What letters are answered to; None where no letters come in."""
    if not settings.mail_domain:
        return None
    return ReplyAddresses(settings.mail_domain, ids.derived_secret(settings.secret_key, "reply"))


def webhook_secret(settings: Settings) -> str:
    """Signs whatever is posted to a team's own endpoints."""
    return ids.derived_secret(settings.secret_key, "webhook")
