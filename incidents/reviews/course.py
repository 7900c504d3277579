"""What happened, as the record has it: control block, summary, impact, detection, classification, timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from incidents.reviews import due, follow_up, markup
from incidents.reviews.entries import added_later, cited, listed, numbered, of_kind, values
from incidents.reviews.markup import Markdown, say
from incidents.reviews.record import Record

NOT_RECORDED = "not recorded"
HIT_COLUMNS = {
    "rule": "Rule", "title": "Says", "field": "In", "words": "Words", "class": "Class", "counted_as": "Counted as",
}  # fmt: skip
SUPPRESSED_COLUMNS = {"rule": "Rule", "field": "In", "words": "Words", "by": "By", "because": "Because of"}


def control(record: Record) -> Markdown:
    integrity = record.integrity
    identity = markup.facts(
        [
            ("Incident", say("{}, {}", record.number, markup.link(record.url))),
            ("Title", record.title),
            ("Class", record.incident_class),
            (
                "Severity",
                f"first {record.severity_initial}, peak {record.severity_peak}, final {record.severity_final}",
            ),
            ("Status of the incident", record.status),
            ("Status of the review", record.review_state),
            ("Published", follow_up.published(record)),
            ("Service", record.service),
            ("Owner of the review", record.owner or "nobody yet"),
            ("Incident commander", record.commander or NOT_RECORDED),
            ("Opened", _event(record, record.opened_at, "", "opened")),
            ("Acknowledged", _event(record, record.acknowledged_at, record.acknowledged_by, "acknowledged")),
            ("Contained (mitigated)", _event(record, record.contained_at, "", "contained")),
            ("Recovered", _event(record, record.recovered_at, "", "recovered")),
            ("Resolved", _event(record, record.resolved_at, record.resolved_by, "resolved")),
            ("Closed", _event(record, record.closed_at, "", "closed")),
            ("Rules", markup.code(record.ruleset_version)),
            ("Review template", markup.code(record.template_version)),
            ("Timeline head", markup.code(values(integrity.get("head")))),
            ("Last checkpoint", values(integrity.get("checkpoint"))),
            ("Drafted from the record of", record.generated_at),
        ]
    )
    found = due.measures(record)
    durations = markup.table(
        ("Duration", "Value", "Definition"),
        [(name, _measured(record, key, found[key]), meaning) for key, (name, meaning) in due.DEFINITIONS.items()],
    )
    return markup.paragraphs(identity, durations)


def _measured(record: Record, key: str, span: timedelta | None) -> object:
    basis = due.counted_from(due.first_reached(record.pages, record.acknowledged_at)) if key == "tta" else ""
    return say("{}, {}", span, basis) if basis else span


def summary(record: Record) -> Markdown:
    sentences = [
        say(
            "Incident {} ({}, {}) opened on service {} at {}{}: “{}”.",
            record.number, record.incident_class, record.severity_final, record.service or "not known",
            record.opened_at, cited(record, record.opened_at, "opened"), record.title,
        )
    ]  # fmt: skip
    milestones = (
        ("acknowledged", record.acknowledged_at, record.acknowledged_by),
        ("marked contained", record.contained_at, ""),
        ("marked recovered", record.recovered_at, ""),
        ("resolved", record.resolved_at, record.resolved_by),
    )
    for what, at, who in milestones:
        if at is not None:
            by = say(" by {}", who) if who else Markdown("")
            where = cited(record, at, what.split()[-1])
            sentences.append(say("It was {}{} after {}{}.", what, by, at - record.opened_at, where))
        elif what in ("acknowledged", "resolved"):
            sentences.append(say("It is not {}.", what))
    if record.resolution:
        sentences.append(say("The reason given: “{}”.", record.resolution))
    return Markdown(" ".join(sentences))


def impact(record: Record) -> Markdown:
    count = sum(alert.count for alert in record.alerts)
    received = "once" if count == 1 else f"{count} times"
    overview = markup.facts(
        [
            ("Service", record.service or None),
            ("Alerts", f"{len(record.alerts)}, received {received}" if record.alerts else None),
            ("Open for", due.measures(record)["ttr"] or say("{} so far", record.generated_at - record.opened_at)),
            ("Service level agreement", None),
            ("Users, accounts, functions", None),
        ]
    )
    rows = list(_severity_rows(record))
    if not rows:
        return markup.paragraphs(overview, say("Time at each severity: {}; the changes are not in the record.", None))
    return markup.paragraphs(overview, markup.table(("Severity", "From", "For"), rows))


def _severity_rows(record: Record) -> Iterator[tuple[object, object, object]]:
    """One for each stretch at a severity; none if the severity changed at moments the record does not have."""
    until = record.resolved_at or record.generated_at
    if record.severity_changes:
        changes = sorted(record.severity_changes, key=lambda c: (c.at, c.seq or 0))
        moments: list[datetime] = [*(c.at for c in changes), until]
        for change, (since, end) in zip(changes, pairwise(moments), strict=True):
            yield change.severity, say("{}{}", since, numbered(change.seq)), max(end - since, timedelta(0))
    elif record.severity_initial == record.severity_peak == record.severity_final:
        yield record.severity_final, record.opened_at, until - record.opened_at


def detection(record: Record) -> Markdown:
    first = min(record.alerts, key=lambda a: (a.first_at, a.title), default=None)
    heard = (
        say("First heard from {} at {}: “{}”.", first.source, first.first_at, first.title)
        if first
        else say("How it was detected: {}; the record has no alert.", None)
    )
    rules = (_rule_ids(record) or ["none; the default applied"]) if record.classification else []
    alerts = [
        (a.title, a.source, a.first_at, a.last_at, a.resolved_at or NOT_RECORDED, a.count, markup.link(a.url))
        for a in sorted(record.alerts, key=lambda a: (a.first_at, a.title, a.dedup_key))
    ]
    return markup.paragraphs(
        heard,
        say("Rules that matched: {}.", ", ".join(rules) or None),
        say("Time to detect: {}.", due.measures(record)["ttd"]),
        markup.table(("Alert", "Source", "First", "Last", "Resolved", "Received", "Link"), alerts) if alerts else "",
    )


def _rule_ids(record: Record) -> list[str]:
    hits = record.classification.get("hits") or record.classification.get("rules") or ()
    given = [hit.get("rule", hit) if isinstance(hit, Mapping) else hit for hit in hits]
    return list(dict.fromkeys(values(rule) for rule in given))


def classification(record: Record) -> Markdown:
    explained = record.classification
    sentence = values(explained.get("sentence"))
    parts: list[str] = [say("Class {}, severity {}. {}", record.incident_class, record.severity_final, sentence)]
    if reasons := listed(explained.get("reasons")):
        parts += ["Reasons:", markup.bullets(reasons)]
    parts += _matches("Matched:", explained.get("hits") or explained.get("rules"), HIT_COLUMNS)
    parts += _matches("Matched and not counted:", explained.get("suppressed"), SUPPRESSED_COLUMNS)
    parts.append(say("Ruleset: {}.", markup.code(record.ruleset_version)))
    if not record.overrides:
        parts.append("Nobody changed class or severity by hand.")
        return markup.paragraphs(*parts)
    rows = [
        (
            say("{}{}", o.at, numbered(o.seq)), f"{o.what}: {o.before} to {o.after}", o.reason,
            o.requested_by, ", ".join(o.approved_by) or "none needed or recorded",
        )
        for o in record.overrides
    ]  # fmt: skip
    parts += [
        "Changed by hand:",
        markup.table(("When", "Change", "Reason", "Asked for by", "Approved by"), rows),
    ]
    return markup.paragraphs(*parts)


def _matches(title: str, given: object, columns: Mapping[str, str]) -> Iterator[str]:
    """A table of what rules matched, or a list if the explanation tells it in another form."""
    items = given if isinstance(given, list | tuple) else ()
    if not items:
        return
    yield title
    if all(isinstance(item, Mapping) for item in items):
        rows = [[values(item[key]) if key in item else markup.NOTHING for key in columns] for item in items]
        yield markup.table(list(columns.values()), rows)
    else:
        yield markup.bullets(listed(items))


def timeline(record: Record) -> Markdown:
    """Every entry, in the order of the chain; stars and late entries are marked in the text."""
    if not record.timeline:
        return Markdown("The timeline has no entries.")
    starred = {note.seq for note in record.notes}
    rows = []
    for entry in sorted(record.timeline, key=lambda e: e.seq):
        marks = Markdown("★ ") if entry.seq in starred else Markdown("")
        late = say(" (added later: recorded {})", entry.recorded_at) if added_later(entry) else Markdown("")
        text = say("{}{}{}", marks, entry.text, late)
        rows.append((entry.seq, entry.occurred_at, entry.actor, entry.kind, text))
    return markup.paragraphs(
        "★ marks what was starred for the review. The entries' payloads are in the JSON export.",
        markup.table(("Entry", "Occurred", "Who", "What", "Text"), rows),
    )


def lead_up(record: Record) -> Markdown:
    changes = [say("{}: {} (entry {})", e.occurred_at, e.text, e.seq) for e in of_kind(record, "change", "deploy")]
    if not changes:
        return Markdown("The timeline has no change or deploy event.")
    return markup.paragraphs("Changes and deploys on the timeline:", markup.bullets(changes))


def resolution(record: Record) -> Markdown:
    rows: list[tuple[str, object]] = [
        ("Recovered", _event(record, record.recovered_at, "", "recovered")),
        ("Resolved", _event(record, record.resolved_at, record.resolved_by, "resolved")),
        ("Reason given", record.resolution or NOT_RECORDED),
        ("Alerts still firing", sum(a.resolved_at is None for a in record.alerts) if record.alerts else None),
    ]
    checks = [
        say("{}, step {}: {} ({} by {}, {})", book.title, s.number, s.note, s.outcome, s.by, s.at)
        for book in record.runbooks
        for s in book.steps_done
        if s.note
    ]
    if record.constitutional:
        rows.append(("Timeline verification", values(record.integrity.get("verdict"))))
    found = markup.paragraphs("Verification results entered with runbook steps:", markup.bullets(checks))
    return markup.paragraphs(markup.facts(rows), found if checks else "No verification result was entered.")


def recurrence(record: Record) -> Markdown:
    if record.earlier is None:
        return say("Earlier incidents like this one: {}.", None)
    if not record.earlier:
        return Markdown("No earlier incident with the same rule, service or dedup key was found within 365 days.")
    rows = [(e.number, e.opened_at, e.title, e.alike, e.actions_open) for e in record.earlier]
    return markup.table(("Incident", "Opened", "Title", "Alike in", "Actions still open"), rows)


def _event(record: Record, at: datetime | None, who: str, word: str) -> Markdown:
    if at is None:
        return Markdown(NOT_RECORDED)
    by = say(" by {}", who) if who else Markdown("")
    return say("{}{}{}", at, by, cited(record, at, word))
