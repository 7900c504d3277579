"""What is still open after it: risks, actions, lessons, evidence, proof, meeting; and the constitutional part. Pure."""

from __future__ import annotations

from datetime import date

from incidents import phases
from incidents.reviews import due, markup
from incidents.reviews.entries import cited, of_kind, people, values
from incidents.reviews.markup import Markdown, say
from incidents.reviews.record import Record

RECERTIFIED = ("certified", "")
NOT_WRITTEN = "not written"
FINISHED = ("done", "closed", "declined", "cancelled")
CONSTITUTIONAL_METRICS = ("Breach count", "Override rate", "Dissent health", "Witness coverage")
INTEGRITY_FIRST = ("verdict", "head", "entries", "checkpoint", "sealed", "unsealed")


def risks(record: Record) -> Markdown:
    found = [
        say("Runbook {}: recertification {}.", book.title, book.recert_status)
        for book in record.runbooks
        if book.recert_status not in RECERTIFIED
    ]
    hold = phases.held_at(record.holds, record.generated_at)
    if hold is not None:
        found.append(say("A hold by {} is still running; not to end before {}.", hold.authority, hold.min_end_at))
    found += [
        say("Approval of {} is still pending, {} needed.", approval.action, approval.quorum_needed)
        for approval in record.approvals
        if approval.state == "pending"
    ]
    return (
        markup.bullets(found)
        if found
        else Markdown("No runbook overdue, hold running or approval pending is on record.")
    )


def actions(record: Record) -> Markdown:
    default = due.due_dates(record).actions_on
    rule = say("An action without a date of its own is due on {}.", default or "a day counted from resolution")
    if not record.actions:
        return markup.paragraphs("No action items are recorded yet.", rule)
    rows = [
        (
            a.id, a.kind, a.title, a.owner or "nobody yet", a.due or default, _standing(record, a.due or default, a.status),
            markup.link(a.ticket), a.done_when or NOT_WRITTEN,
        )
        for a in sorted(record.actions, key=lambda a: a.id)
    ]  # fmt: skip
    return markup.paragraphs(
        markup.table(("Action", "Kind", "What", "Owner", "Due", "Status", "Ticket", "Done when"), rows), rule
    )


def _standing(record: Record, due_on: date | None, status: str) -> str:
    late = due_on is not None and due_on < record.generated_at.date()
    return f"{status}, overdue" if late and status not in FINISHED else status


def lessons(record: Record) -> Markdown:
    if not record.notes:
        return Markdown("No note was starred for the review.")
    notes = [say("{}, {}: {} (entry {})", n.by, n.at, n.text, n.seq) for n in sorted(record.notes, key=lambda n: n.seq)]
    return markup.paragraphs("Starred for the review while it ran:", markup.bullets(notes))


def evidence(record: Record) -> Markdown:
    cost = say("Responder-minutes: {}.", record.responder_minutes)
    if record.attachments is None:
        return markup.paragraphs(say("Attachments: {}.", None), cost)
    return markup.paragraphs(_custody(record), cost)


def _custody(record: Record) -> Markdown:
    if not record.attachments:
        return Markdown("Nothing is attached.")
    rows = [(a.name, markup.code(a.sha256), a.held_by, a.at) for a in record.attachments]
    return markup.table(("Attachment", "SHA-256", "Held by", "Since"), rows)


def integrity(record: Record) -> Markdown:
    result = record.integrity
    known = [key for key in INTEGRITY_FIRST if key in result]
    rest = sorted((key for key in result if key not in INTEGRITY_FIRST), key=str)
    rows: list[tuple[str, object]] = [("verdict", None)] if "verdict" not in result else []
    rows += [(key, values(result[key])) for key in known + rest]
    return markup.paragraphs(
        markup.table(("Check", "Result"), [(markup.escape(str(name)), value) for name, value in rows]),
        "The timeline is tamper-evident: a change to it shows when it is verified against a copy of a checkpoint "
        "kept elsewhere.",
    )


def meeting(record: Record) -> Markdown:
    dates = due.due_dates(record)
    counted = "24 hours after resolution"
    return markup.paragraphs(
        markup.facts(
            [
                ("Status", record.review_state),
                ("Written by people until", dates.review_at or counted),
                ("Meeting until", dates.meeting_on or "counted from resolution"),
                ("Actions due by default", dates.actions_on or "counted from resolution"),
                ("Published", published(record)),
            ]
        ),
        "The meeting is within 3 calendar days if the incident was CRITICAL, else within 5 business days; "
        "weekends are skipped, public holidays are not known.",
    )


def published(record: Record) -> Markdown:
    """Who declared it finished and when, and where the finished text is."""
    if record.published_at is None:
        return Markdown("not yet")
    where = say("; the finished text is at {}", markup.link(record.document_url)) if record.document_url else ""
    note = say("; “{}”", record.published_note) if record.published_note else ""
    when = say("by {}, {}{}", record.published_by, record.published_at, cited(record, record.published_at, "published"))
    return Markdown(f"{when}{where}{note}")


def guarantee(record: Record) -> Markdown:
    if not record.governance_refs:
        return say("Governance references: {}.", None)
    return markup.paragraphs("References of the attached runbooks:", markup.bullets(record.governance_refs))


def integrity_scope(record: Record) -> Markdown:
    return markup.facts(
        [
            ("This incident's timeline", values(record.integrity.get("verdict"))),
            ("Last checkpoint of the timeline", values(record.integrity.get("checkpoint"))),
            ("First and last sequence affected", None),
        ]
    )


def stopped(record: Record) -> Markdown:
    asked = "A halt was recommended; keepers decide on it." if record.halt_recommended else "No halt was recommended."
    decided = [
        say("{}: {}, {} ({}), {}{}", a.action, d.decision, d.name, d.role, d.at, cited(record, d.at, "approval"))
        for a in record.approvals
        if "halt" in a.action
        for d in a.decisions
    ]
    return markup.paragraphs(asked, markup.bullets(decided) if decided else "No decision on a halt is on record.")


def halt_and_hold(record: Record) -> Markdown:
    entries = [
        say("{}: {} (entry {})", e.occurred_at, e.text, e.seq) for e in of_kind(record, "halt", "hold", "breach")
    ]
    holds = [
        say(
            "{}: held {} by {}, since {}, not to end before {}, ended {}.", h.reason,
            (h.ended_at or record.generated_at) - h.started_at, h.authority, h.started_at, h.min_end_at,
            h.ended_at or "not yet",
        )
        for h in record.holds
    ]  # fmt: skip
    return markup.paragraphs(
        markup.bullets(holds) if holds else "No hold is on record.",
        markup.bullets(entries) if entries else "The timeline has no entry of a halt, hold or breach clock.",
    )


def approvals(record: Record) -> Markdown:
    if not record.approvals:
        return Markdown("No approval was asked for.")
    rows: list[tuple[object, ...]] = []
    for a in sorted(record.approvals, key=lambda a: (a.requested_at, a.action)):
        agreed = sum(d.decision == "approve" for d in a.decisions)
        rows.append(
            (
                a.action, say("{}, {}", a.requested_by, a.requested_at), a.reason,
                f"{agreed} of {a.quorum_needed}", a.state,
                Markdown("; ".join(say("{} ({}) {}: “{}”, {}", d.name, d.role, d.decision, d.reason, d.at) for d in a.decisions)),
            )
        )  # fmt: skip
    return markup.table(("Action", "Asked for by", "Reason", "Approvals", "State", "Decisions, verbatim"), rows)


def ceremony(record: Record) -> Markdown:
    found = [
        say("{}: {} (entry {})", e.occurred_at, e.text, e.seq) for e in of_kind(record, "ceremony", "override", "key")
    ]
    return markup.bullets(found) if found else Markdown("The timeline has no entry of a key ceremony or an override.")


def custody(record: Record) -> Markdown:
    return say("Attachments: {}.", None) if record.attachments is None else _custody(record)


def constitutional_metrics(record: Record) -> Markdown:
    rows = [(name, *record.constitutional_metrics.get(name, (None, None))) for name in CONSTITUTIONAL_METRICS]
    table = markup.table(("Metric", "Before", "After"), rows)
    return markup.paragraphs(table, "These come from the governed system, not from Tocsin.")


def independent_review(record: Record) -> Markdown:
    took_part = ", ".join(people(record)) or None
    ratified = [
        say("{} ({}) {}, {}", d.name, d.role, d.decision, d.at)
        for a in record.approvals
        if a.action == "ratify"
        for d in a.decisions
    ]
    return markup.paragraphs(
        say("Took part, and so cannot be the independent reviewer: {}.", took_part),
        markup.bullets(ratified) if ratified else "No ratification is on record.",
    )
