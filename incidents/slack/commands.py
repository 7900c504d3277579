"""`/incident …`: answered to whoever typed it, alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from config.database import Database
from config.errors import TocsinError
from escalation import brief, directory
from escalation.channels import answers, slack_blocks, slack_inbound, slack_parts, wording
from escalation.channels.slack_inbound import Said
from escalation.channels.slack_parts import Block
from incidents import actions, briefing, noting, once, queries, replies
from incidents.desk import Actor, Desk, Outcome
from incidents.lifecycle import UNSETTLED, Status
from incidents.queries import IncidentLine, Wanted
from incidents.slack import buttons, facts, form_views, forms, hub, parts, words
from incidents.slack.results import Result, Say, Show
from incidents.slack.words import Asked, Word

LISTED_MAX = 20
SCHEDULES_MAX = 50
HELP = (
    ("list", "what is open, the worst first"),
    ("show 42", "one incident, and everything to be done about it"),
    ("ack 42", "it is yours, and paging stops; ack alone takes your newest page, ack all everything you were told of"),
    ("resolve 42 restarted the primary", "it is over, and why"),
    ("escalate 42", "page the next level now"),
    ("note 42 replicas look fine", "for the timeline"),
    ("who", "who is on call now"),
    ("open checkout payments time out", "a new incident of that service; open alone gives a form"),
    ("help", "this"),
)


def typed(database: Database, desk: Desk, said: Said, actor: Actor, now: datetime) -> Result:
    asked = words.read(said.text)
    try:
        return COMMANDS[asked.word](database, desk, said, asked, actor, now)
    except TocsinError as refused:
        return Say(replies.in_words(refused, asked.number or 0, asked.word))


def help_text(wrong: str = "") -> Say:
    lines = [f"`/incident {each}` {meaning}" for each, meaning in HELP]
    first = f"{wrong} Nothing was done." if wrong else "What you can type:"
    plain = "\n".join([first, *(f"/incident {each}: {meaning}" for each, meaning in HELP)])
    return Say(plain, (slack_parts.section("\n".join([parts.quoted(first, 200), *lines])),))


def _help(_: Database, __: Desk, ___: Said, asked: Asked, ____: Actor, _now: datetime) -> Result:
    return help_text(asked.wrong)


def _list(database: Database, desk: Desk, _: Said, __: Asked, ___: Actor, now: datetime) -> Result:
    wanted = Wanted(statuses=UNSETTLED)
    with database.reading() as session:
        found = queries.incidents(session, wanted, now, limit=replies.ALL_MAX)
    rows = sorted(found, key=lambda each: (brief.rank(each.incident_class, each.severity), -each.number))
    plain = answers.open_incidents([answers.listed(r.number, r.severity, r.title, r.status) for r in rows])
    if not rows:
        return Say(plain)
    lines = [f"*{len(rows)} open, the worst first*", *(_listed(desk, each) for each in rows[:LISTED_MAX])]
    if len(rows) > LISTED_MAX:
        lines.append(slack_parts.link(f"{desk.base_url}/incidents", f"and {len(rows) - LISTED_MAX} more"))
    return Say(plain, (parts.lines(lines),))


def _listed(desk: Desk, row: IncidentLine) -> str:
    number = slack_parts.link(briefing.incident_url(desk.base_url, row.number), str(row.number)) or str(row.number)
    has_it = f"{row.acknowledged_by.name} has it" if row.acknowledged_by else "nobody has it"
    rank = f"{row.severity} constitutional" if row.incident_class == "constitutional" else row.severity
    return f"{number} *{parts.quoted(rank, 80)}* {parts.quoted(row.title, 100)} ({parts.quoted(has_it, 80)})"


def _show(database: Database, desk: Desk, _: Said, asked: Asked, actor: Actor, now: datetime) -> Result:
    number = asked.number or 0
    shown = facts.shown(database, desk, number, actor, now)
    blocks: list[Block] = [hub.facts(shown)]
    if shown.may_act and not shown.is_over:
        pressable = [slack_parts.button("Acknowledge", slack_blocks.ACKNOWLEDGE, str(number)) | {"style": "primary"}]
        made = pressable if shown.incident.status == Status.OPEN else []
        made += [
            slack_parts.button("Resolve", slack_blocks.RESOLVE, str(number)),
            slack_parts.button("More…", slack_blocks.MORE, str(number)),
        ]
        blocks += parts.buttons("do", made)
    incident = shown.incident
    return Say(answers.listed(number, incident.severity, incident.title, incident.status), tuple(blocks))


def _acknowledge(database: Database, desk: Desk, said: Said, _: Asked, __: Actor, now: datetime) -> Result:
    """As by every other channel: `ack`, `ack 42`, `ack all`."""
    return Say(replies.act(database, desk, slack_inbound.reply(said), now).sentence)


def _resolve(database: Database, desk: Desk, said: Said, asked: Asked, actor: Actor, now: datetime) -> Result:
    if not asked.rest:  # asked for in a form
        shown = facts.shown(database, desk, asked.number or 0, actor, now)
        return buttons.resolving(shown, by_itself=True)
    return _once(
        database, said, asked, now,
        lambda session, number: actions.resolve(session, desk, number, actor, now, reason=asked.rest),
    )  # fmt: skip


def _escalate(database: Database, desk: Desk, said: Said, asked: Asked, actor: Actor, now: datetime) -> Result:
    return _once(
        database, said, asked, now, lambda session, number: actions.escalate_now(session, desk, number, actor, now)
    )  # fmt: skip


def _note(database: Database, desk: Desk, said: Said, asked: Asked, actor: Actor, now: datetime) -> Result:
    if not asked.rest:
        return Say(f"Say what: /incident note {asked.number} replicas look fine.")
    return _once(
        database, said, asked, now,
        lambda session, number: actions.add_note(session, desk, number, actor, now, text=asked.rest),
    )  # fmt: skip


def _open(database: Database, desk: Desk, said: Said, asked: Asked, actor: Actor, now: datetime) -> Result:
    noting.may_act(actor)
    with database.reading() as session:
        services = facts.services(session)
    if not services:
        return Say("There is no service yet, and an incident belongs to one. An administrator can declare it.")
    known = asked.service in {key for key, _ in services}
    if not known or not asked.rest:  # a first word that is no service belongs to the title
        title = asked.rest if known else f"{asked.service} {asked.rest}".strip()
        return Show(form_views.report(services, service=asked.service if known else "", title=title))
    return _once(
        database, said, asked, now,
        lambda session, _: forms.report(session, desk, actor, now, service=asked.service, title=asked.rest),
    )  # fmt: skip


def _who(database: Database, _: Desk, __: Said, ___: Asked, ____: Actor, now: datetime) -> Result:
    with database.reading() as session:
        found = directory.watches(session, now, after="", limit=SCHEDULES_MAX + 1)
    if not found:
        return Say("There is no schedule, so nobody is on call by one.")
    lines = [_watched(each, now) for each in found[:SCHEDULES_MAX]]
    if len(found) > SCHEDULES_MAX:
        lines.append(f"and more: these are the first {SCHEDULES_MAX}.")
    plain = "\n".join(f"{each.key}: {', '.join(on.person.name for on in each.on_call) or 'nobody'}" for each in found)
    return Say(plain, (parts.lines(["*On call now*", *lines]),))


def _watched(watch: directory.Watch, now: datetime) -> str:
    people = [
        parts.quoted(f"{each.person.name}" + (f" until {wording.moment(each.until, now)}" if each.until else ""), 120)
        for each in watch.on_call
    ]
    return f"*{parts.quoted(watch.key, 64)}*: {', '.join(people) or 'nobody'}"


def _once(
    database: Database, said: Said, asked: Asked, now: datetime, verb: Callable[[Session, int], Outcome]
) -> Result:
    number = asked.number or 0
    return Say(once.do(database, said.once, now, lambda session: verb(session, number)).sentence)


COMMANDS: dict[Word, Callable[[Database, Desk, Said, Asked, Actor, datetime], Result]] = {
    Word.HELP: _help,
    Word.LIST: _list,
    Word.SHOW: _show,
    Word.ACK: _acknowledge,
    Word.ACK_ALL: _acknowledge,
    Word.RESOLVE: _resolve,
    Word.ESCALATE: _escalate,
    Word.NOTE: _note,
    Word.WHO: _who,
    Word.OPEN: _open,
}
