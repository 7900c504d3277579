"""The page of what is one's own: contact methods, rules, quiet hours, shifts. Its forms work without script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug import Response as AnyResponse

from config import auth
from config.actor import Actor
from config.database import Database
from config.errors import InvalidInputError, NotFoundError, TocsinError
from config.forms import typed
from config.schemas import NUMBER_MAX
from escalation import contacts, own_rules, tokens
from escalation.addresses import OWN_WAYS, WAYS
from escalation.channels import names
from escalation.contact_codes import GOOD_FOR
from escalation.contacts import Told
from escalation.declared_people import STEPS_MAX, URGENCIES
from escalation.web_reader import times_of_reader

ME = "/me"
CONTACT = f"{ME}/contacts/<int(max={NUMBER_MAX}):number>"
SPARE_ROWS = 2
URGENCY_NAMES = {"high": "When I am paged", "low": "When I am notified, and nobody need wake"}
WAY_NAMES = {key: names.title(key) for key in names.NAMES}
STEP_FIELDS = ("after", "by", "from", "to")

Verb = Callable[[Session, Actor, datetime], Told]
Row = Mapping[str, str]


def add(pages: Blueprint, database: Database, read_clock: Callable[[], datetime], wake: Callable[[], None]) -> None:
    def act(verb: Verb, then: str = "") -> AnyResponse:
        """Do it, and tell what came of it on the page."""
        try:
            with database.transaction() as session:
                told = verb(session, auth.acting("web"), read_clock())
        except NotFoundError:
            raise
        except TocsinError as refused:
            told = Told(False, refused.detail)
        wake()
        flash(told.sentence, "done" if told.changed else "problem")
        return redirect(f"{ME}{then}", 303)

    def show(rejected: Mapping[str, Sequence[Row]] | None = None, problems: Sequence[str] = ()) -> Response:
        """`rejected`: steps that could not be kept, so that they can be mended and need not be typed again."""
        now, who = read_clock(), auth.acting("web")
        with database.reading() as session:
            methods = contacts.own(session, who, now)
            rules = own_rules.of(session, who)
            given_out = tokens.own(session, who)
            times = times_of_reader(session, now)
        steps: Mapping[str, Sequence[Row]] = rejected or {"high": rules.high, "low": rules.low}
        page = render_template(
            "escalation/me.html",
            times=times,
            now=now,
            methods=methods,
            rules=rules,
            tokens=given_out,
            steps={urgency: _with_spare_rows(steps[urgency]) for urgency in URGENCIES},
            problems=problems,
            ways=WAYS,
            own_ways=OWN_WAYS,
            way_names=WAY_NAMES,
            urgency_names=URGENCY_NAMES,
            code_minutes=int(GOOD_FOR.total_seconds() // 60),
        )
        return make_response(page, 422 if problems else 200)

    @pages.get(ME)
    def me() -> Response:
        return show()

    _contacts(pages, act)
    _tokens(pages, act)
    _rules(pages, database, read_clock, act, show)


def _rules(
    pages: Blueprint,
    database: Database,
    read_clock: Callable[[], datetime],
    act: Callable[..., AnyResponse],
    show: Callable[..., Response],
) -> None:
    @pages.post(f"{ME}/rules")
    def change_rules() -> AnyResponse:
        steps = {urgency: _typed_steps(urgency) for urgency in URGENCIES}
        try:
            with database.transaction() as session:
                own_rules.change(session, auth.acting("web"), steps, read_clock())
        except InvalidInputError as refused:
            return show(steps, [_in_words(where, problem) for where, problem in refused.fields.items()])
        except TocsinError as refused:
            flash(refused.detail, "problem")
        else:
            flash("Kept. From now on you are reached like this.", "done")
        return redirect(f"{ME}#rules", 303)

    @pages.post(f"{ME}/quiet")
    def change_quiet() -> AnyResponse:
        hours = {key: value for key in ("from", "to") if (value := typed(key))}

        def verb(session: Session, who: Actor, now: datetime) -> Told:
            try:
                own_rules.change(session, who, {"quiet": hours or None}, now)
            except InvalidInputError as refused:
                said = "; ".join(f"{where.rpartition('.')[2]} {problem}" for where, problem in refused.fields.items())
                return Told(False, f"These quiet hours cannot be used: {said}.")
            return Told(True, "Kept." if hours else "You have no quiet hours any more.")

        return act(verb, "#quiet")


def _contacts(pages: Blueprint, act: Callable[..., AnyResponse]) -> None:
    @pages.post(f"{ME}/contacts")
    def add_contact() -> AnyResponse:
        channel, address = typed("channel"), typed("address")

        def verb(session: Session, who: Actor, now: datetime) -> Told:
            contacts.add(session, who, channel, address, now)
            return Told(True, "Added. It is not used yet: have a code sent there, and enter it here.")

        return act(verb)

    @pages.post(f"{CONTACT}/code")
    def send_code(number: int) -> AnyResponse:
        return act(lambda session, who, now: contacts.send_code(session, who, number, now), f"#contact-{number}")

    @pages.post(f"{CONTACT}/verify")
    def verify_contact(number: int) -> AnyResponse:
        code = typed("code")
        return act(lambda session, who, now: contacts.confirm(session, who, number, code, now), f"#contact-{number}")

    @pages.post(f"{CONTACT}/test")
    def send_test(number: int) -> AnyResponse:
        return act(lambda session, who, now: contacts.send_test(session, who, number, now), f"#contact-{number}")

    @pages.post(f"{CONTACT}/remove")
    def remove_contact(number: int) -> AnyResponse:
        return act(lambda session, who, now: contacts.remove(session, who, number, now))


def _tokens(pages: Blueprint, act: Callable[..., AnyResponse]) -> None:
    @pages.post(f"{ME}/tokens/<int(max={NUMBER_MAX}):number>/revoke")
    def revoke_token(number: int) -> AnyResponse:
        return act(lambda session, who, now: tokens.revoke_own(session, who, number, now), "#tokens")


def _typed_steps(urgency: str) -> list[dict[str, str]]:
    """The rows that name a way; one that names none is no step."""
    columns = [request.form.getlist(f"{urgency}-{name}")[: STEPS_MAX + SPARE_ROWS] for name in STEP_FIELDS]
    rows = [dict(zip(STEP_FIELDS, cells, strict=True)) for cells in zip(*columns, strict=False)]
    cleaned = [{name: cell.replace("\0", "").strip() for name, cell in row.items()} for row in rows]
    return [
        {name: cell for name, cell in ({"after": "0s"} | _filled(row)).items() if cell} for row in cleaned if row["by"]
    ]


def _filled(row: Row) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if cell}


def _with_spare_rows(steps: Sequence[Row]) -> list[Row]:
    spare = min(SPARE_ROWS, max(STEPS_MAX - len(steps), 0))
    return [*steps, *({} for _ in range(spare))]


def _in_words(where: str, problem: str) -> str:
    """`high[0].after`, as the form shows it."""
    urgency, _, rest = where.partition("[")
    place, _, field = rest.partition("]")
    if not place.isdigit() or urgency not in URGENCY_NAMES:
        return f"{where} {problem}."
    return f"{URGENCY_NAMES[urgency]}, step {int(place) + 1}: {field.removeprefix('.')} {problem}."
