"""Records of two incidents that the tests of reviews draft from, and texts that try to break out of a review."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from incidents.phases import Hold
from incidents.reviews import drafting
from incidents.reviews.record import (
    ActionFact,
    AlertFact,
    ApprovalFact,
    AttachmentFact,
    AttemptFact,
    DecisionFact,
    EarlierIncident,
    EntryFact,
    NoteFact,
    OverrideFact,
    PageFact,
    Record,
    RunbookFact,
    StepFact,
    TickFact,
    Written,
)

OPENED_AT = datetime(2026, 11, 2, 3, 12, 5, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return OPENED_AT + timedelta(minutes=minutes)


def entry(seq: int, minutes: float, kind: str, text: str, actor: str = "tocsin", recorded: float = 0) -> EntryFact:
    at = after(minutes)
    kind_of_actor = "engine" if actor == "tocsin" else "source" if actor == "pagerduty" else "responder"
    return EntryFact(seq, 900 + seq, at, at + timedelta(minutes=recorded), actor, kind, text, actor_kind=kind_of_actor)


def operational(**changes: Any) -> Record:
    """Ana is paged, does not answer; Bo does at level 2, fixes it, and the review is half written."""
    record = Record(
        number=42,
        title="Observer API down: health check failing on all replicas",
        incident_class="operational",
        severity_initial="HIGH",
        severity_peak="HIGH",
        severity_final="HIGH",
        status="resolved",
        service="checkout",
        opened_at=OPENED_AT,
        acknowledged_at=after(6),
        acknowledged_by="Bo Chen",
        contained_at=after(12),
        recovered_at=after(75),
        resolved_at=after(80),
        resolved_by="Bo Chen",
        resolution="pool size put back",
        owner="Ana Lima",
        commander="Bo Chen",
        classification={
            "sentence": "Operational because O01 matched 'Observer API down'; HIGH from O01.",
            "reasons": ["O01 matched 'Observer API down' in title", "service checkout is not protected"],
            "hits": [{"rule": "O01", "field": "title", "words": "observer api down", "counted_as": "HIGH"}],
        },
        alerts=(
            AlertFact("Observer API down", "pagerduty", "obs/api", after(0), after(4), after(79), 3, "https://mon.example.org/a/1"),
        ),
        pages=(
            PageFact("Ana Lima", "sms", 1, "failed", after(0), attempts=(
                AttemptFact(after(0.1), "failed", "30003 unreachable"), AttemptFact(after(1), "failed", "30003 unreachable"))),
            PageFact("Ana Lima", "voice", 1, "delivered", after(3), after(3.1), after(3.2), attempts=(AttemptFact(after(3.1), "sent"),)),
            PageFact("Bo Chen", "slack", 2, "sent", after(5), after(5.02), attempts=(AttemptFact(after(5.02), "sent"),)),
            PageFact("Bo Chen", "sms", 2, "delivered", after(5), after(5.1), after(5.2), True, (AttemptFact(after(5.1), "sent"),)),
            PageFact("Mia Berg", "sms", 3, "cancelled", after(5)),
        ),
        timeline=(
            entry(1, 0, "incident.opened", "Opened by an alert of pagerduty", "pagerduty"),
            entry(2, 0, "incident.classified", "Operational, HIGH: O01 matched 'Observer API down'"),
            entry(3, 0, "runbook.attached", "Attached Observer API runbook"),
            entry(4, 0, "level.reached", "Level 1: paging Ana Lima"),
            entry(5, 5, "level.reached", "Level 2: paging Bo Chen and Ana Lima"),
            entry(6, 6, "incident.acknowledged", "Bo Chen acknowledged by sms", "Bo Chen"),
            entry(7, 9, "note.added", "Deploy 2.4.1 halved the connection pool", "Bo Chen"),
            entry(8, 12, "incident.contained", "Bo Chen marked it contained", "Bo Chen"),
            entry(9, 75, "incident.recovered", "Bo Chen marked it recovered", "Bo Chen"),
            entry(10, 80, "incident.resolved", "Bo Chen resolved it: pool size put back", "Bo Chen"),
            entry(11, -3, "deploy.finished", "Deployment 2.4.1 completed", "Ana Lima", recorded=100),
        ),
        runbooks=(
            RunbookFact(
                "epic-4-observer", "Observer API", "1.2.0", "ab" * 32, "rule O01 names it", True, "overdue",
                (
                    StepFact(1, "Check the load balancer", "Bo Chen", after(8), "6 of 6 targets unhealthy"),
                    StepFact(2, "Restart one replica", "Bo Chen", after(10), "still unhealthy", "failed"),
                ),
            ),
        ),
        notes=(NoteFact(7, after(9), "Bo Chen", "Deploy 2.4.1 halved the connection pool"),),
        integrity={"verdict": "VERIFIED", "head": "c4" * 32, "entries": 11, "checkpoint": "911 at 2026-11-02T04:33:00Z"},
        sections_written={
            "summary": Written("Ana Lima", "Checkout could not reach the Observer API for **75 minutes**.\n\n- cause: pool size", after(600)),
            "lucky": Written("Ana Lima", "None.", after(610)),
        },
        actions=(
            ActionFact(7, "prevent", "Refuse a pool below 20 in the deploy check", "Bo Chen", date(2026, 11, 20), "open",
                       "https://tickets.example.org/OPS-7", "a deploy with pool 10 is refused in staging"),
            ActionFact(8, "detect", "Alert on pool saturation", "", None, "open"),
        ),
        ticks=(TickFact("evaluate-system-impact", "Bo Chen", after(7), 6), TickFact("isolate-affected-systems", "Bo Chen", after(11))),
        earlier=(EarlierIncident(17, "Observer API slow", after(-60 * 24 * 20), "same rule O01", 1),),
        ruleset_version="2026-10-01.3fa9",
        template_version="1",
        base_url="https://tocsin.example.org/",
        generated_at=after(700),
    )  # fmt: skip
    return replace(record, **changes)


def constitutional(**changes: Any) -> Record:
    """A broken hash chain under a 48-hour hold, which keepers decide on."""
    hold = Hold("recovery waiting period", "FR21", "Kim Osei", after(20), after(20 + 48 * 60), after(20 + 48 * 60))
    values: dict[str, Any] = {
        "number": 43,
        "title": "Hash chain broken at sequence 48211: previous_hash mismatch",
        "incident_class": "constitutional",
        "severity_initial": "HIGH",
        "severity_peak": "CRITICAL",
        "severity_final": "CRITICAL",
        "service": "event-store",
        "acknowledged_at": after(4),
        "acknowledged_by": "Kim Osei",
        "recovered_at": after(55 + 48 * 60),
        "resolved_at": after(58 + 48 * 60),
        "resolved_by": "Bo Chen",
        "holds": (hold,),
        "overrides": (OverrideFact("severity", "HIGH", "CRITICAL", "the halt flag is set", "Kim Osei", (), after(10), 7),),
        "approvals": (
            ApprovalFact(
                "resolve", "Bo Chen", after(50 + 48 * 60), "chain restored from the last good checkpoint",
                (
                    DecisionFact("Kim Osei", "keeper", "approve", "verified", after(52 + 48 * 60)),
                    DecisionFact("Kai Ito", "keeper", "decline", "I want the witnesses' copy compared first", after(53 + 48 * 60)),
                    DecisionFact("Mia Berg", "manager", "approve", "compared", after(57 + 48 * 60)),
                ),
                2, "approved",
            ),
        ),
        "governance_refs": ("FR21", "ADR-10"),
        "halt_recommended": True,
        "attachments": (AttachmentFact("segment-48k.bin", "9e" * 32, "Kai Ito", after(30)),),
        "generated_at": after(60 * 60),
    }  # fmt: skip
    return operational(**(values | changes))


def bare(**changes: Any) -> Record:
    """An incident that has just opened: nothing optional is known."""
    values: dict[str, Any] = {
        "number": 1, "title": "Worker returned unexpected state 7", "incident_class": "operational",
        "severity_initial": "MEDIUM", "severity_peak": "MEDIUM", "severity_final": "MEDIUM", "status": "open",
        "service": "", "opened_at": after(0), "ruleset_version": "r1", "template_version": "1",
        "base_url": "https://tocsin.example.org", "generated_at": after(1),
    }  # fmt: skip
    return Record(**(values | changes))


def part(review: Mapping[str, Any], key: str, kind: str = "auto") -> dict[str, Any]:
    found: list[dict[str, Any]] = [p for p in review["sections"] if (p["key"], p["kind"]) == (key, kind)]
    assert len(found) == 1, (key, kind)
    return found[0]


def drafted(record: Record, key: str) -> str:
    return str(part(drafting.draft(record), key)["markdown"])


HOSTILE = [
    "| a | b |\n| --- | --- |", "\n\n# Heading", "Heading\n===", "a\\|b", "\\", "`", "```\n", "<script>alert(1)</script>",
    "<!--", "<b>", "[click](https://evil.example)", "![](https://evil.example/x.png)", "<https://evil.example>",
    "https://evil.example", "www.evil.example", "[a]: https://evil.example", "&lt;b&gt;", "*", "**a**", "__a__", "_a_",
    "~~a~~", "$x$", "- item", "1. item", "> quote", "---", "\r\n# x", "\u2028# x", "\x85# x", "\x00", "\u202eabc",
    "    code", "{}", "{0}", "%s", "javascript:alert(1)", "\"><img src=x onerror=alert(1)>", "entry 1", "a_b_c", "–",
]  # fmt: skip
texts = st.one_of(
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3).map("".join),
    st.text(st.sampled_from("\\`*_[]()<>|~&$#-+=:!1. \n\taZ"), max_size=20),
    st.text(max_size=20),
)


def everywhere(value: Any, text: Callable[[str], str]) -> Any:
    """The value with every text in it replaced, except the class, which chooses the template."""
    if isinstance(value, str):
        return text(value)
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"incident_class", "item"}
        return replace(
            value, **{f.name: everywhere(getattr(value, f.name), text) for f in fields(value) if f.name not in kept}
        )
    if isinstance(value, Mapping):
        return {key: everywhere(item, text) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(everywhere(item, text) for item in value)
    return value
