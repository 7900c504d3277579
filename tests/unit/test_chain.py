"""The digests are the published ones, and each link check sees what it is for."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.proof import chain, checks, plain
from incidents.proof.checks import Check, Link, Problem, StoredEntry

AT = datetime(2026, 11, 2, 3, 12, 0, 250, tzinfo=UTC)
SALT = bytes(range(16))
HEADER = chain.Header(
    incident=42,
    seq=2,
    global_seq=7,
    occurred_at=AT,
    recorded_at=AT + timedelta(seconds=1),
    actor="Ana Lima",
    actor_kind="responder",
    kind="incident.acknowledged",
    payload_sha256="ab" * 32,
    supersedes=None,
    prev="cd" * 32,
)
HEADER_BYTES = (
    '{"actor":"Ana Lima","actor_kind":"responder","global_seq":7,"incident":42,"kind":"incident.acknowledged",'
    '"occurred_at":"2026-11-02T03:12:00.000250Z","payload_sha256":"' + "ab" * 32 + '","prev":"' + "cd" * 32 + '",'
    '"recorded_at":"2026-11-02T03:12:01.000250Z","seq":2,"supersedes":null,"v":1}'
).encode()


def stored(
    seq: int, before: StoredEntry | None = None, *, later_seconds: int = 0, kind: str = "page.sent"
) -> StoredEntry:
    """The entry that rightly follows `before`, in one incident that is the whole record."""
    payload = chain.payload("Paged Ana.", {"level": 1})
    moment = AT + timedelta(seconds=later_seconds)
    header = chain.Header(
        incident=42,
        seq=seq,
        global_seq=seq,
        occurred_at=moment,
        recorded_at=moment,
        actor="tocsin",
        actor_kind="engine",
        kind=kind,
        payload_sha256=chain.payload_sha256(SALT, payload),
        supersedes=None,
        prev=before.entry_hash if before else chain.GENESIS,
    )
    canonical = chain.canonical(header)
    global_prev = before.global_hash if before else chain.GENESIS
    entry_hash = chain.entry_hash(canonical)
    return StoredEntry(
        header=header,
        text="Paged Ana.",
        payload=payload,
        salt=SALT,
        canonical=canonical,
        entry_hash=entry_hash,
        global_prev=global_prev,
        global_hash=chain.global_hash(global_prev, entry_hash),
    )


def link(entry: StoredEntry) -> Link:
    header = entry.header
    return Link(header.global_seq, header.incident, header.seq, header.kind, header.prev, entry.entry_hash)


FIRST = stored(1, kind="incident.opened")
SECOND = stored(2, FIRST, later_seconds=1)
THIRD = stored(3, SECOND, later_seconds=2)


def failed(problems: object) -> list[Check]:
    return [problem.check for problem in problems]  # type: ignore[attr-defined]  # any iterable of problems


def test_an_entrys_bytes_are_its_header_in_canonical_json() -> None:
    assert chain.canonical(HEADER) == HEADER_BYTES


def test_the_bytes_do_not_depend_on_the_time_zone_a_time_is_given_in() -> None:
    elsewhere = replace(HEADER, occurred_at=AT.astimezone(timezone(timedelta(hours=9))))
    assert chain.canonical(elsewhere) == HEADER_BYTES


def test_an_entry_hash_is_sha256_over_its_prefix_and_bytes() -> None:
    assert chain.entry_hash(HEADER_BYTES) == hashlib.sha256(b"incident-entry/v1\n" + HEADER_BYTES).hexdigest()


def test_a_global_hash_covers_the_one_before_it_and_the_entry() -> None:
    expected = hashlib.sha256(b"tocsin-global/v1\n" + b"1" * 64 + b"2" * 64).hexdigest()
    assert chain.global_hash("1" * 64, "2" * 64) == expected


def test_a_payload_hash_covers_salt_text_and_facts() -> None:
    payload = chain.payload("Ana acknowledged.", {"via": "sms", "after_seconds": 190})
    assert payload == '{"facts":{"after_seconds":190,"via":"sms"},"text":"Ana acknowledged."}'
    assert chain.payload_sha256(SALT, payload) == hashlib.sha256(SALT + payload.encode()).hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        {"incident": 43},
        {"seq": 3},
        {"global_seq": 8},
        {"occurred_at": AT + timedelta(microseconds=1)},
        {"recorded_at": AT},
        {"actor": "Ana Lïma"},
        {"actor_kind": "source"},
        {"kind": "incident.resolved"},
        {"payload_sha256": "ac" * 32},
        {"supersedes": 1},
        {"prev": "ce" * 32},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_field_of_the_header_takes_part_in_the_hash(changed: dict[str, object]) -> None:
    assert chain.entry_hash(chain.canonical(replace(HEADER, **changed))) != chain.entry_hash(HEADER_BYTES)  # type: ignore[arg-type]  # one field at a time


def test_a_right_chain_has_no_problems() -> None:
    for before, entry in ((None, FIRST), (FIRST, SECOND), (SECOND, THIRD)):
        assert list(checks.contents(entry)) == []
        assert list(checks.global_link(before, entry)) == []
        assert list(checks.incident_link(link(before) if before else None, link(entry))) == []


def test_a_missing_entry_is_a_gap_that_names_it() -> None:
    (of_record,) = checks.global_link(FIRST, THIRD)
    (of_incident,) = checks.incident_link(link(FIRST), link(THIRD))
    assert of_record == Problem(Check.GAP, "entry 2 of the record is missing before it", 3, 42, 3)
    assert of_incident == Problem(Check.GAP, "entry 2 of incident 42 is missing before it", 3, 42, 3)


def test_several_missing_entries_are_one_gap() -> None:
    (gap,) = checks.global_link(FIRST, replace(THIRD, header=replace(THIRD.header, global_seq=9)))
    assert gap.detail == "entries 2 to 8 of the record are missing before it"


def test_a_number_that_stands_twice_is_a_duplicate() -> None:
    assert failed(checks.global_link(SECOND, SECOND)) == [Check.DUPLICATE]
    assert failed(checks.incident_link(link(SECOND), link(SECOND))) == [Check.DUPLICATE]


def test_an_entry_that_follows_another_one_than_it_says_breaks_both_links() -> None:
    other = stored(2, stored(1, kind="incident.opened", later_seconds=9), later_seconds=10)
    assert failed(checks.global_link(FIRST, other)) == [Check.GLOBAL_PREV]
    assert failed(checks.incident_link(link(FIRST), link(other))) == [Check.PREV]


def test_recording_times_may_stand_still_but_not_run_backwards() -> None:
    assert failed(checks.global_link(SECOND, stored(3, SECOND, later_seconds=1))) == []
    assert failed(checks.global_link(SECOND, stored(3, SECOND, later_seconds=0))) == [Check.TIME]


def test_an_incident_must_begin_with_its_opening() -> None:
    assert failed(checks.incident_link(None, link(stored(1, kind="page.sent")))) == [Check.OPENED]


def test_a_correction_must_come_after_what_it_corrects() -> None:
    late = replace(HEADER, supersedes=HEADER.global_seq)
    entry = replace(THIRD, header=late, canonical=chain.canonical(late))
    assert Check.SUPERSEDES in failed(checks.contents(entry))


def test_a_changed_field_is_named() -> None:
    changed = replace(SECOND, header=replace(SECOND.header, actor="somebody else"))
    (problem,) = checks.contents(changed)
    assert problem.check is Check.HASH
    assert problem.detail.endswith("actor")


def test_text_that_differs_from_the_payload_is_seen() -> None:
    assert failed(checks.contents(replace(SECOND, text="Paged nobody."))) == [Check.PAYLOAD]


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_of_the_hashed_bytes_is_seen(place: int, bit: int) -> None:
    damaged = bytearray(SECOND.canonical)
    damaged[place % len(damaged)] ^= 1 << bit
    assert Check.HASH in failed(checks.contents(replace(SECOND, canonical=bytes(damaged))))


def test_a_value_of_the_wrong_kind_is_a_finding_and_not_a_crash() -> None:
    row: dict[str, object] = dict.fromkeys(checks.COLUMNS, "x")
    found = checks.read({**row, "global_seq": 5, "incident_id": 42, "seq": 2, "occurred_at": "yesterday"})
    assert found == Problem(Check.UNREADABLE, "its occurred_at is not a time", 5, 42, 2)


def test_facts_keep_text_integers_booleans_lists_and_maps() -> None:
    given_facts = {"to": ["ana", "bo"], "level": 2, "first": True, "by": None, "rule": {"id": "r1", "hits": (1, 2)}}
    assert plain.facts(given_facts) == {**given_facts, "rule": {"id": "r1", "hits": [1, 2]}}


@pytest.mark.parametrize("value", [1.5, AT, b"bytes", {1: "number as a name"}, {"a set"}, [[0.1]]], ids=repr)
def test_facts_without_a_canonical_form_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        plain.facts({"value": value})


@pytest.mark.parametrize("value", [2**53, -(2**53)])
def test_integers_that_json_readers_would_round_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="record it as text"):
        plain.facts({"value": value})


def test_facts_that_lie_too_deep_are_refused() -> None:
    value: object = "bottom"
    for _ in range(plain.DEPTH_LIMIT):
        value = [value]
    with pytest.raises(ValueError, match="deep"):
        plain.facts({"value": value})


def test_over_long_text_is_cut_with_a_mark_that_says_how_long_it_was() -> None:
    cut = plain.text("a" * 9_000)
    assert len(cut) == plain.TEXT_LIMIT_CHARACTERS
    assert cut.endswith("a … [9000 characters, cut]")


def test_long_lists_are_cut_with_a_mark() -> None:
    kept = plain.facts({"alerts": ["x"] * 1_000})["alerts"]
    assert len(kept) == plain.ITEMS_LIMIT + 1
    assert kept[-1] == "1000 items, cut"


@given(st.text(st.characters(codec=None), max_size=50))
def test_any_text_can_be_recorded(words: str) -> None:
    clean = plain.text(words)
    assert "\0" not in clean
    assert chain.payload(clean, plain.facts({"words": words}))
