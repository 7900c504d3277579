"""How people were reached and what they did: phases, paging, responders, runbooks, communications. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from itertools import groupby

from escalation.channels import names
from incidents import phases
from incidents.phases import PhaseRow, Verdict
from incidents.reviews import due, markup
from incidents.reviews.entries import cited, numbered, of_kind, people
from incidents.reviews.markup import Markdown, say
from incidents.reviews.record import PageFact, Record, RunbookFact, TickFact

ANSWERED_WITHIN = timedelta(minutes=5)  # of somebody's first page: the immediate phase


def against_targets(record: Record) -> Markdown:
    rows = [
        (row.phase.capitalize(), row.target, _actual(record, row), row.verdict, row.note or markup.NOTHING)
        for row in phases.phase_report(record.course, record.generated_at)
    ]
    return markup.paragraphs(
        markup.table(("Phase", "Target", "Actual", "Verdict", "Note"), rows),
        "Counted from opening, the last phase from resolution. A governance hold stops the clocks.",
        *_holds(record),
        "Checklists:",
        markup.table(("Phase", "Checklist", "Ticked", "Not ticked"), _checklists(record)),
    )


def _actual(record: Record, row: PhaseRow) -> Markdown:
    if row.elapsed_seconds is None:
        return Markdown("not started")
    elapsed = timedelta(seconds=row.elapsed_seconds)
    if row.ended_at is None:
        return say("{} so far", elapsed)
    return say("{}, at {}{}", elapsed, row.ended_at, cited(record, row.ended_at, row.milestone))


def _holds(record: Record) -> Iterator[str]:
    if not record.holds:
        return
    yield "Holds:"
    rows = [
        (
            hold.authority, hold.reason, hold.opened_by, hold.started_at, hold.min_end_at,
            hold.ended_at or "still running",
            say("held {}", (hold.ended_at or record.generated_at) - hold.started_at),
        )
        for hold in sorted(record.holds, key=lambda h: h.started_at)
    ]  # fmt: skip
    yield markup.table(("Authority", "Reason", "Opened by", "Since", "Not to end before", "Ended", "For"), rows)


def _checklists(record: Record) -> list[tuple[object, ...]]:
    ticks = {
        tick.item: tick for tick in sorted(record.ticks, key=lambda t: t.at, reverse=True)
    }  # the first tick counts
    rows: list[tuple[object, ...]] = []
    for phase, items in phases.CHECKLISTS.items():
        for group, members in groupby(items, key=lambda item: item.group):
            texts = {item.key: item.text for item in members}
            done = [_tick(texts[key], ticks[key]) for key in texts if key in ticks]
            missing = [text for key, text in texts.items() if key not in ticks]
            rows.append((phase.capitalize(), group, Markdown("; ".join(done)), "; ".join(missing)))
    return rows


def _tick(text: str, tick: TickFact) -> Markdown:
    return say("{}: {}, {}{}", text, tick.by, tick.at, numbered(tick.seq))


def paging(record: Record) -> Markdown:
    if not record.pages:
        return Markdown("No page is on record: nobody was paged.")
    pages = sorted(record.pages, key=lambda p: (p.queued_at, p.level, p.responder, p.channel))
    rows = [
        (
            p.level, p.responder, names.name(p.channel), p.sent_at or "not sent", p.delivered_at or _no_receipt(p),
            _answer(p, pages), p.state, _attempts(p),
        )
        for p in pages
    ]  # fmt: skip
    return markup.paragraphs(
        _unreceived(pages),
        markup.table(("Level", "Person", "Channel", "Sent", "Delivered", "Answer", "State", "Attempts (UTC)"), rows),
        "By level:",
        markup.table(
            ("Level", "First page queued", "People", "Time to acknowledge"),
            [_level(record, level, pages) for level in sorted({p.level for p in pages})],
        ),
    )


def _unreceived(pages: Sequence[PageFact]) -> str:
    lost = [p for p in pages if not_received(p)]
    unsure = sum(
        p.sent_at is not None and p.delivered_at is None and not p.acknowledged and p not in lost for p in pages
    )
    verdict = "none" if not lost else f"{len(lost)} of {len(pages)}"
    parts: list[str] = [markup.callout(say("Pages nobody received: {}.", verdict))]
    if lost:
        parts.append(
            markup.bullets(
                say("{} at level {} by {}: {}", p.responder, p.level, names.name(p.channel), p.state) for p in lost
            )
        )
    if unsure:
        parts.append(
            say("Handed to a provider without a delivery receipt: {}. Whether they arrived is not known.", unsure)
        )
    return markup.paragraphs(*parts)


def not_received(page: PageFact) -> bool:
    """It failed. A page cancelled by an acknowledgement was not meant to arrive; a bundled one came with another."""
    return page.state == "failed" and page.delivered_at is None and not page.acknowledged


def unanswered(page: PageFact, record: Record) -> bool:
    """It went out, its person answered neither it nor another page, and nobody else took the incident while they were
    given the time."""
    if page.state not in ("sent", "delivered", "bundled"):
        return False
    theirs = [each for each in record.pages if each.responder == page.responder]
    first_at, taken_at = min(each.queued_at for each in theirs), record.acknowledged_at
    if taken_at is not None and first_at <= taken_at < first_at + ANSWERED_WITHIN:
        return False
    return not any(each.acknowledged for each in theirs)


def _answer(page: PageFact, pages: Sequence[PageFact]) -> str:
    if page.acknowledged:
        return "acknowledged"
    other = next((p for p in pages if p.acknowledged and p.responder == page.responder), None)
    if other is not None:
        return f"answered by {names.name(other.channel)}"
    return "no answer" if page.state in ("sent", "delivered", "bundled", "failed") else page.state


def _no_receipt(page: PageFact) -> str:
    return "no receipt" if page.sent_at is not None else markup.NOTHING


def _attempts(page: PageFact) -> Markdown:
    if not page.attempts:
        return Markdown("none")
    tries = []
    for attempt in page.attempts:
        same_day = attempt.at.astimezone(UTC).date() == page.queued_at.astimezone(UTC).date()
        at = attempt.at.astimezone(UTC).strftime("%H:%M:%S") if same_day else attempt.at
        error = say(" ({})", attempt.error) if attempt.error else Markdown("")
        tries.append(say("{} {}{}", at, attempt.outcome, error))
    return say("{}: {}", len(tries), Markdown("; ".join(tries)))


def _level(record: Record, level: int, pages: Sequence[PageFact]) -> tuple[object, ...]:
    here = [p for p in pages if p.level == level]
    answered_at = record.acknowledged_at
    went_out = any(p.state not in ("queued", "cancelled") for p in here)
    answer: object = "no answer at this level" if went_out else "nothing was sent"
    if answered_at is not None and any(p.acknowledged for p in here):
        reached = due.first_reached(here, answered_at)
        basis = due.counted_from(reached)
        span = answered_at - reached.at if reached else None
        answer = say("{}, {}", span, basis) if basis else span
    queued_at = here[0].queued_at
    names = ", ".join(dict.fromkeys(p.responder for p in here))
    return level, say("{}{}", queued_at, cited(record, queued_at, "level")), names, answer


def responders(record: Record) -> Markdown:
    found = people(record)
    if not found:
        return Markdown("The record names nobody.")
    rows = []
    for name, parts in found.items():
        seqs = sorted(e.seq for e in record.timeline if e.actor == name)
        rows.append((name, ", ".join(parts), seqs[0] if seqs else markup.NOTHING, len(seqs)))
    table = markup.table(("Person", "Part", "First entry", "Entries"), rows)
    changes = list(of_kind(record, "commander", "handover", "handoff", "owner", "role", "joined"))
    if not changes:
        return markup.paragraphs(table, "No change of role or handover is on the timeline.")
    told = markup.bullets(say("{}: {} (entry {})", e.occurred_at, e.text, e.seq) for e in changes)
    return markup.paragraphs(table, "Changes of role and handovers:", told)


def runbooks(record: Record) -> Markdown:
    if not record.runbooks:
        return Markdown("No runbook was attached.")
    ordered = sorted(record.runbooks, key=lambda r: (not r.primary, r.id))
    return markup.paragraphs(*(part for book in ordered for part in _runbook(record, book)))


def _runbook(record: Record, book: RunbookFact) -> Iterator[str]:
    yield markup.facts(
        [
            ("Primary runbook" if book.primary else "Other candidate", book.title),
            ("Version", say("{} at {}", markup.code(book.id), markup.code(book.version))),
            ("SHA-256", markup.code(book.sha256)),
            ("Attached because", book.reason),
            ("Recertification then", book.recert_status or None),
        ]
    )
    if book.steps_done:
        rows = [
            (s.number, s.title, s.outcome, s.by, say("{}{}", s.at, cited(record, s.at, "step")), s.note)
            for s in sorted(book.steps_done, key=lambda s: (s.number, s.at))
        ]
        yield markup.table(("Step", "Title", "Outcome", "By", "At", "Verification"), rows)
    else:
        yield "No step of it was ticked."


def went_well(record: Record) -> Markdown:
    report = phases.phase_report(record.course, record.generated_at)
    good = [say("Phase {} ({}): met.", r.phase, r.target) for r in report if r.verdict is Verdict.MET]
    good += [
        say("{} answered a page of level 1 by {}.", p.responder, names.name(p.channel))
        for p in record.pages
        if p.acknowledged and p.level == 1
    ]
    return markup.bullets(good) if good else Markdown("The record shows no phase met and no answer at level 1.")


def went_badly(record: Record) -> Markdown:
    report = phases.phase_report(record.course, record.generated_at)
    bad = [say("Phase {} ({}): late.", r.phase, r.target) for r in report if r.verdict is Verdict.LATE]
    for page in sorted(record.pages, key=lambda p: (p.queued_at, p.level, p.responder, p.channel)):
        if not_received(page) or unanswered(page, record):
            how = "was not received" if not_received(page) else "got no answer"
            bad.append(
                say("The page to {} at level {} by {} {}.", page.responder, page.level, names.name(page.channel), how)
            )
    bad += [
        say("Step {} of {} ({}): {}.", step.number, book.title, step.title, step.outcome)
        for book in record.runbooks
        for step in book.steps_done
        if step.outcome != "done"
    ]
    return markup.bullets(bad) if bad else Markdown("The record shows no late phase, lost page or step not done.")


def communications(record: Record) -> Markdown:
    told = list(of_kind(record, "announced", "announcement", "update", "communication", "notification", "notified"))
    if not told:
        return Markdown("No announcement or update is on the timeline.")
    rows = [(e.seq, e.occurred_at, e.actor, e.text) for e in told]
    return markup.table(("Entry", "Sent", "By", "What"), rows)
