"""What people press, in a message or in the modal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from config.database import Database
from config.errors import TocsinError
from escalation.channels import answers, slack_blocks, slack_inbound, slack_many
from escalation.channels.slack_inbound import Said
from escalation.channels.slack_parts import Block
from incidents import actions, noting, once, replies
from incidents.desk import Actor, Desk, Outcome
from incidents.slack import facts, form_views, hub
from incidents.slack.hub import Shown
from incidents.slack.results import Done, Result, Say, Show

HEARD = "tocsin.heard"  # under the test message: pressed, it proves the way back

Verb = Callable[[Session, Desk, int, Actor, datetime], Outcome]

VERBS: dict[str, Verb] = {
    slack_blocks.ACKNOWLEDGE: actions.acknowledge,
    hub.ESCALATE: actions.escalate_now,
    hub.CONTAINED: lambda session, desk, number, who, now: actions.reach_milestone(
        session, desk, number, "contained", who, now
    ),
    hub.RECOVERED: lambda session, desk, number, who, now: actions.reach_milestone(
        session, desk, number, "recovered", who, now
    ),
}
DECISIONS = {slack_blocks.APPROVE: "approve", slack_blocks.DECLINE: "decline"}
# What opens a modal from a message, and so has three seconds for it.
OPENING = frozenset({slack_blocks.MORE, slack_blocks.RESOLVE, *DECISIONS})


def pressed(database: Database, desk: Desk, said: Said, actor: Actor, now: datetime) -> Result:
    """In the modal everything is shown there; at a message only what the message itself will not show."""
    number = slack_inbound.number_in(said.value)
    if said.action == HEARD:
        outcome = once.do(database, said.once, now, lambda _: Outcome(0, True, "", "Tocsin heard you: this way works."))
        return Say(outcome.sentence)
    if number is None:
        return Say(answers.usage())
    if said.action == slack_many.ACKNOWLEDGE_ALL:
        answer = replies.act(database, desk, slack_inbound.reply(said), now)
        return Done() if answer.changed else Say(answer.sentence)
    in_modal = bool(said.view_id)
    if said.action in VERBS:
        sentence, changed = _do(database, desk, said, number, actor, now)
        if in_modal:
            return Show(hub.view(facts.shown(database, desk, number, actor, now), sentence=sentence))
        return Done() if changed and not said.ephemeral else Say(sentence)
    shown = facts.shown(database, desk, number, actor, now)
    if said.action in (slack_blocks.MORE, hub.BACK):
        return Show(hub.view(shown))
    drawn = _form(database, said.action, shown, by_itself=not in_modal)
    return Say(answers.usage()) if drawn is None else Show(drawn)


def _do(database: Database, desk: Desk, said: Said, number: int, actor: Actor, now: datetime) -> tuple[str, bool]:
    verb = VERBS[said.action]
    try:
        outcome = once.do(database, said.once, now, lambda session: verb(session, desk, number, actor, now))
    except TocsinError as refused:
        return replies.in_words(refused, number, said.action.rpartition(".")[2]), False
    return outcome.sentence, outcome.changed


def resolving(shown: Shown, *, by_itself: bool) -> Show:
    """The form that asks for the reason. Raises NotAllowedError for who may not act."""
    noting.may_act(shown.actor)
    if shown.is_over:
        return Show(form_views.over(shown))
    return Show(form_views.resolve(shown, by_itself=by_itself))


def _form(database: Database, action: str, shown: Shown, *, by_itself: bool) -> Block | None:
    """None for a button that is none of ours."""
    noting.may_act(shown.actor)
    if action == slack_blocks.RESOLVE:
        return resolving(shown, by_itself=by_itself).view
    if decision := DECISIONS.get(action):
        return _decision(shown, decision, by_itself=by_itself)
    with database.reading() as session:
        people = facts.people(session) if action in (f"{hub.FORM}add", f"{hub.FORM}reassign") else []
    forms: dict[str, Callable[[], Block]] = {
        "add": lambda: form_views.add(shown, people),
        "reassign": lambda: form_views.reassign(shown, people),
        "note": lambda: form_views.note(shown),
        "severity": lambda: form_views.severity(shown),
        "snooze": lambda: form_views.snooze(shown),
        "steps": lambda: form_views.steps(shown),
    }
    draw = forms.get(action.removeprefix(hub.FORM))
    return draw() if draw else None


def _decision(shown: Shown, decision: str, *, by_itself: bool) -> Block:
    number = shown.incident.number
    if not shown.may_decide:
        sentence = "Only a keeper can approve or decline; you are none. Nothing was done."
        return form_views.plain(f"Incident {number}", sentence, number=number)
    if not shown.pending:
        sentence = f"Nothing waits for approval at {number}: it was decided already, or ran out."
        return form_views.plain(f"Incident {number}", sentence, number=number)
    return form_views.decide(shown, decision=decision, by_itself=by_itself)
