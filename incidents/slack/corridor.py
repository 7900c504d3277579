"""From something done in Slack to its answer within three seconds, whatever the database does.

The work runs beside the request. What is ready in time is the answer; what is not is said afterwards, in the modal or
to whoever asked, and the request is answered that it is under way. A modal from a message must be opened within three
seconds of the press: when its contents are late, one that says so is opened, and filled when they are there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from config import http, logs
from config.database import Database
from config.errors import NotFoundError, TocsinError
from escalation.channels import answers, slack_blocks
from escalation.channels.base import ChannelError
from escalation.channels.slack_inbound import Kind, Said
from incidents import noting, once, replies
from incidents.desk import Actor, Desk
from incidents.slack import buttons, commands, facts, form_views, forms, hub, parts
from incidents.slack.forms import Sent
from incidents.slack.results import Done, Refuse, Result, Say, Show

ANSWER_WITHIN_SECONDS = 2.0
OPEN_WITHIN_SECONDS = 1.0  # for what opens a modal: Slack must still be asked to
AT_ONCE_MAX = 8
CALLS_AT_ONCE_MAX = 4
UNDER_WAY_MAX = 100

UNDER_WAY = "Tocsin is at it. What comes of it follows here."

log = logs.get("slack")

Body = dict[str, Any]
Submit = Callable[[Callable[[], Any]], "Future[Any]"]


class Outward(Protocol):
    """What is asked of Slack. Each raises ChannelError."""

    def answer_ephemeral(self, channel: str, user: str, text: str) -> None: ...

    def respond(self, response_url: str, body: dict[str, Any]) -> None: ...

    def is_slacks(self, url: str) -> bool: ...

    def open_view(self, trigger_id: str, view: dict[str, Any]) -> str: ...

    def update_view(self, view_id: str, view: dict[str, Any]) -> None: ...


class Corridor:
    """`outward` None: there is no Slack to answer on, and what would be said is logged. `work` and `calls` run things
    beside the request: the verbs, and what is asked of Slack."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        read_clock: Callable[[], datetime],
        wake: Callable[[], None],
        outward: Outward | None,
        *,
        work: Submit | None = None,
        calls: Submit | None = None,
    ) -> None:
        self._database, self._desk, self._read_clock, self._wake = database, desk, read_clock, wake
        self._outward = outward
        self._work = work or ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="slack").submit
        self._calls = calls or ThreadPoolExecutor(CALLS_AT_ONCE_MAX, thread_name_prefix="slack-call").submit
        self._free = threading.BoundedSemaphore(UNDER_WAY_MAX)

    def take(self, said: Said, now: datetime) -> Body | None:
        """What to answer Slack with at once; None for nothing but that it arrived."""
        if said.kind is Kind.OTHER:
            return None
        if not self._free.acquire(blocking=False):
            return self._answer(said, Say(answers.try_again()))
        future = self._work(lambda: self._result(said, now))
        future.add_done_callback(lambda _: self._free.release())
        opens = said.kind is Kind.PRESS and not said.view_id and said.action in buttons.OPENING
        try:
            result = future.result(OPEN_WITHIN_SECONDS if opens else ANSWER_WITHIN_SECONDS)
        except NotInTime:
            return self._late(said, future, opens=opens)
        return self._answer(said, result)

    def _result(self, said: Said, now: datetime) -> Result:
        try:
            result = self._meant(said, now)
        except http.DATABASE_AWAY as away:
            log.error("not acted on, the database does not answer", user=said.user, error=str(away))
            return Say(answers.try_again())
        except TocsinError as refused:
            return Say(refused.detail)
        except Exception:
            log.exception("not acted on", user=said.user, action=said.action, form=said.form)
            return Say(answers.try_again())
        self._wake()
        return result

    def _meant(self, said: Said, now: datetime) -> Result:
        person = replies.person_of(self._database, "slack", said.user)
        if person is None:
            return Say(answers.unknown_sender())
        actor = replies.actor_of(person, via="slack")
        if said.kind is Kind.COMMAND:
            return commands.typed(self._database, self._desk, said, actor, now)
        if said.kind is Kind.FORM:
            return self._sent(said, actor, now)
        try:
            return buttons.pressed(self._database, self._desk, said, actor, now)
        except NotFoundError:
            return Say(answers.unknown_number(int(said.value)))

    def _sent(self, said: Said, actor: Actor, now: datetime) -> Result:
        about = _about(said.metadata)
        sent = Sent(said, about.get("number") or 0)
        verb = forms.VERBS.get(said.form.removeprefix(hub.FORM))
        if verb is None:
            return Say(answers.usage())
        try:
            noting.may_act(actor)
            outcome = once.do(
                self._database, said.once, now, lambda session: verb(session, self._desk, sent, actor, now)
            )
        except TocsinError as refused:
            return Refuse(_by_field(refused, said))
        if about.get("alone") and outcome.changed and said.form == f"{hub.FORM}resolve":
            return Done()  # the message that it was asked from shows it
        if about.get("alone") or not sent.number:
            return Say(outcome.sentence)
        shown = facts.shown(self._database, self._desk, sent.number, actor, now)
        return Show(hub.view(shown, sentence=outcome.sentence))

    # Answered in time

    def _answer(self, said: Said, result: Result) -> Body | None:
        if said.kind is Kind.COMMAND and isinstance(result, Say):
            return _ephemeral(result)
        if said.kind is Kind.FORM:
            return _of_form(result)
        if isinstance(result, Show):
            if said.view_id:
                self._ask(lambda slack: slack.update_view(said.view_id, result.view))
            else:
                self._ask(lambda slack: slack.open_view(said.trigger_id, result.view), tell=said)
        elif isinstance(result, Say):
            self._tell(said, result)
        return None

    # Answered late

    def _late(self, said: Said, future: Future[Result], *, opens: bool) -> Body | None:
        log.warning("answered late", user=said.user, kind=said.kind, action=said.action, form=said.form)
        if opens:
            self._ask(partial(self._fill, said, future), tell=said)
            return None
        future.add_done_callback(lambda done: self._say_late(said, done.result()))
        if said.kind is Kind.COMMAND:
            return _ephemeral(Say(UNDER_WAY))
        if said.kind is Kind.FORM:
            return {"response_action": "update", "view": form_views.plain("Tocsin", UNDER_WAY)}
        return None

    def _fill(self, said: Said, future: Future[Result], slack: Outward) -> None:
        """Open a modal that says to wait, and put into it what is to be there when it is."""
        view_id = slack.open_view(said.trigger_id, form_views.plain("Tocsin", "One moment, Tocsin is reading …"))
        result = future.result()
        slack.update_view(view_id, result.view if isinstance(result, Show) else _as_view(result))

    def _say_late(self, said: Said, result: Result) -> None:
        if said.view_id:
            view = result.view if isinstance(result, Show) else _as_view(result)
            self._ask(lambda slack: slack.update_view(said.view_id, view))
        elif isinstance(result, Show):
            self._tell(said, Say("That took too long for Slack to show it. Please do it again."))
        elif isinstance(result, Say):
            self._tell(said, result)

    # Asked of Slack

    def _tell(self, said: Said, result: Say) -> None:
        """Where they did it if Slack gave an address for that, which works in channels that the app is not in."""

        def tell(slack: Outward) -> None:
            if said.response_url and slack.is_slacks(said.response_url):
                slack.respond(said.response_url, _ephemeral(result) | {"replace_original": False})
            elif said.channel:
                slack.answer_ephemeral(said.channel, said.user, result.sentence)
            elif said.view_id:
                slack.update_view(said.view_id, form_views.plain("Tocsin", result.sentence))
            elif said.trigger_id:
                slack.open_view(said.trigger_id, form_views.plain("Tocsin", result.sentence))

        self._ask(tell)

    def _ask(self, call: Callable[[Outward], Any], *, tell: Said | None = None) -> None:
        """Beside the request; what Slack refuses is logged, and `tell` hears of it."""
        slack = self._outward
        if slack is None:
            log.info("no Slack to answer on")
            return

        def ask() -> None:
            try:
                call(slack)
            except ChannelError as error:
                log.warning("Slack took no answer", error=str(error), code=error.code)
                if tell is not None:
                    self._tell(tell, Say("Slack did not open the form in time. Please press again."))

        self._calls(ask)


def _ephemeral(result: Say) -> Body:
    body: Body = {"response_type": "ephemeral", "text": slack_blocks.escaped_text(result.sentence)}
    return body | ({"blocks": list(result.blocks)} if result.blocks else {})


def _of_form(result: Result) -> Body | None:
    if isinstance(result, Refuse):
        return {"response_action": "errors", "errors": dict(result.problems)}
    if isinstance(result, Done):
        return {"response_action": "clear"}
    return {"response_action": "update", "view": result.view if isinstance(result, Show) else _as_view(result)}


def _as_view(result: Result) -> Body:
    if isinstance(result, Refuse):
        return form_views.plain("Tocsin", "Nothing was done. " + " ".join(result.problems.values()))
    return form_views.plain("Tocsin", result.sentence if isinstance(result, Say) else "Done.")


def _by_field(refused: TocsinError, said: Said) -> dict[str, str]:
    """Slack takes problems of fields that are in the form, and shows nothing else: what is about none of them stands
    under the first."""
    first = next(iter(said.fields), "reason")
    problems = {name: problem for name, problem in refused.fields.items() if name in said.fields}
    if not problems:
        problems = {first: refused.detail}
    return {name: parts.cut(problem) for name, problem in problems.items()}


def _about(metadata: str) -> dict[str, Any]:
    """What our own modal carried along. Slack keeps it; it is read as if anybody had written it all the same."""
    try:
        read = json.loads(metadata or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(read, dict) or not isinstance(read.get("number", 0), int):
        return {}
    return read
