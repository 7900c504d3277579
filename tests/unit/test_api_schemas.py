"""What every schema of the HTTP API has in common."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from config import schemas
from config.schemas import NUMBER_MAX, Cursor, Moment, Strict, Text, limit_field
from escalation import directory


class Sample(Strict):
    reason = Text(required=True, characters_max=10)
    at = Moment()
    number = Cursor(of="incidents", position=int)
    key = Cursor(of="services", position=str)
    limit = limit_field()


def refused(**values: object) -> list[str]:
    with pytest.raises(ValidationError) as refusal:
        Sample().load({"reason": "fine"} | values)
    return list(refusal.value.messages)


@given(st.integers(0, NUMBER_MAX))
def test_a_cursor_that_was_given_out_is_understood(number: int) -> None:
    given_out = schemas.cursor("incidents", number)
    assert Sample().load({"reason": "fine", "number": given_out})["number"] == number


@given(st.text(st.characters(blacklist_categories=["C", "Z"]), max_size=64))
def test_a_cursor_may_stand_for_a_key(key: str) -> None:
    assert Sample().load({"reason": "fine", "key": schemas.cursor("services", key)})["key"] == key


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_anything_else_is_no_cursor_and_no_error_either(text: str) -> None:
    assert schemas.read_cursor("incidents", text) is None


@pytest.mark.parametrize(
    "written",
    [
        schemas.cursor("services", 7),
        schemas.cursor("incidents", "7"),
        schemas.cursor("incidents", True),
        schemas.cursor("incidents", -1),
        schemas.cursor("incidents", NUMBER_MAX + 1),
        schemas.cursor("incidents", 7) + "A" * schemas.CURSOR_CHARACTERS_MAX,
        base64.urlsafe_b64encode(b"[" * 200).decode(),
        base64.urlsafe_b64encode(b'["incidents",7.5]').decode(),
        7,
        None,
    ],
)
def test_what_is_not_this_list_s_cursor_is_refused(written: object) -> None:
    assert refused(number=written) == ["number"]


@pytest.mark.parametrize("key", ["a\0b", "\ud800"])
def test_a_cursor_never_carries_text_that_a_database_cannot_take(key: str) -> None:
    assert refused(key=schemas.cursor("services", key)) == ["key"]


@pytest.mark.parametrize("text", ["", "   ", "\t\n", "a\0b", "\ud800", "x" * 11, 7, None, ["a"]])
def test_a_text_that_cannot_be_kept_is_refused(text: object) -> None:
    assert refused(reason=text) == ["reason"]


def test_what_is_not_in_the_schema_is_refused_by_name() -> None:
    assert refused(raeson="typo") == ["raeson"]


def test_moments_are_given_out_in_utc_and_taken_with_any_offset() -> None:
    moment = Sample().load({"reason": "fine", "at": "2026-11-02T04:12:00+01:00"})["at"]
    assert moment == datetime(2026, 11, 2, 3, 12, tzinfo=UTC)
    assert Sample().dump({"at": moment})["at"] == "2026-11-02T03:12:00.000000Z"


@pytest.mark.parametrize(("limit", "is_fine"), [(1, True), (200, True), (0, False), (201, False), ("x", False)])
def test_limits_run_from_1_to_200(limit: object, is_fine: bool) -> None:
    if is_fine:
        assert Sample().load({"reason": "fine", "limit": limit})["limit"] == limit
    else:
        assert refused(limit=limit) == ["limit"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ana@example.org", "a…@example.org"),
        ("+351910000001", "+35…01"),
        ("U0ANA", "…"),
        ("U012AB3CD", "U01…CD"),
        ("@example.org", "@ex…rg"),
        ("", "…"),
    ],
)
def test_a_masked_address_is_recognised_by_its_owner_and_of_no_use_to_others(address: str, shown: str) -> None:
    assert directory.masked(address) == shown
