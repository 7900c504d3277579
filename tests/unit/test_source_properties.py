"""Whatever JSON arrives, a source gives storable alerts within their limits, or refuses; and always the same."""

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incidents.compat import pagerduty as compat
from incidents.sources import alertmanager, generic, reading, table
from incidents.sources.base import (
    BODY_CHARACTERS_MAX,
    DEDUP_KEY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    AlertStatus,
    IncomingAlert,
    PayloadRefusedError,
)
from tests import spoiling
from tests.contract import recorded

KEPT = recorded.KEPT
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# Names the sources look for, so that random objects get past the first check.
NAMES = sorted(
    {
        *generic.TITLE,
        *generic.BODY,
        *generic.STATUS,
        *generic.DEDUP_KEY,
        *generic.SERVICE,
        *generic.URL,
        *generic.LABELS,
    }
    | {"alerts", "labels", "annotations", "fingerprint", "startsAt", "endsAt", "groupLabels", "truncatedAlerts"}
    | {"routing_key", "event_action", "dedup_key", "payload", "summary", "source", "custom_details", "links", "images"}
)
texts = spoiling.texts | st.sampled_from(["trigger", "resolve", "\0" * 600, "http://["])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
names = st.sampled_from(NAMES) | texts
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)

group_members = st.fixed_dictionaries(
    {},
    optional={
        "status": texts,
        "labels": st.dictionaries(names, scalars, max_size=5) | anything,
        "annotations": st.dictionaries(names, scalars, max_size=5) | anything,
        "startsAt": scalars,
        "endsAt": scalars,
        "fingerprint": scalars,
        "generatorURL": scalars,
    },
)
groups = st.fixed_dictionaries(
    {"alerts": st.lists(group_members | anything, max_size=4)},
    optional={"commonLabels": anything, "groupKey": scalars, "externalURL": scalars, "truncatedAlerts": scalars},
)
genie_alerts = st.fixed_dictionaries(
    {"message": texts},
    optional={
        "alias": scalars,
        "description": scalars,
        "details": st.dictionaries(names, scalars, max_size=5) | anything,
        "tags": anything,
        "responders": anything,
        "priority": scalars,
        "source": scalars,
        "note": anything,
    },
)
events = st.fixed_dictionaries(
    {
        "event_action": st.sampled_from(["trigger", "acknowledge", "resolve"]) | scalars,
        "routing_key": st.just("k" * 32),
        "payload": st.fixed_dictionaries(
            {"summary": texts, "source": texts, "severity": st.sampled_from(["info", "Error"])},
            optional={"timestamp": scalars, "custom_details": anything, "group": scalars, "component": anything},
        )
        | anything,
    },
    optional={"dedup_key": scalars, "links": anything, "images": anything, "client": scalars, "client_url": scalars},
)
things = st.dictionaries(names, anything, max_size=8)
payloads = {
    "email": st.binary(max_size=200)
    | st.fixed_dictionaries({"letter": st.binary(max_size=200) | texts, "tag": scalars}),
    "alertmanager": groups | st.lists(group_members, max_size=3) | anything,
    "generic": things | st.fixed_dictionaries({"alerts": st.lists(things | anything, max_size=4)}) | anything,
    "opsgenie": genie_alerts | anything,
    "pagerduty": events | anything,
}


@st.composite
def resembling(draw: st.DrawFn, source: str) -> Any:
    """A recorded payload of this source, with a few of its parts taken away or replaced by anything."""
    files = sorted((KEPT / source).glob("*.json"))
    payload = copy.deepcopy(recorded.content(draw(st.sampled_from(files))))
    for _ in range(draw(st.integers(0, 3))):
        spoiling.spoil(draw, payload, anything)
    return payload


bounded = settings(max_examples=100, deadline=None, database=None, derandomize=True)


def texts_of(alert: IncomingAlert) -> Iterator[str]:
    yield from (alert.dedup_key, alert.title, alert.body, alert.service, alert.component, alert.environment, alert.url)
    yield from (text for link in alert.links for text in (link.href, link.text))
    yield from (text for label in alert.labels.items() for text in label)
    yield from strings_of(alert.raw)


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)


def expect_sound(alert: IncomingAlert) -> None:
    assert [text for text in texts_of(alert) if UNSTORABLE.search(text)] == []
    json.dumps(alert.raw, allow_nan=False, ensure_ascii=False).encode()
    assert alert.dedup_key
    assert alert.title or alert.status is not AlertStatus.FIRING
    assert len(alert.title) <= TITLE_CHARACTERS_MAX
    assert "\n" not in alert.title
    assert len(alert.body) <= BODY_CHARACTERS_MAX
    assert len(alert.dedup_key) <= DEDUP_KEY_CHARACTERS_MAX
    assert max(map(len, (alert.service, alert.component, alert.environment))) <= reading.NAME_CHARACTERS_MAX
    assert all(len(value) <= reading.LABEL_CHARACTERS_MAX for value in alert.labels.values())
    assert all(link.href.startswith(("http://", "https://")) for link in alert.links)
    assert alert.started_at is None or alert.started_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("name", sorted(table.SOURCES))
@settings(bounded, max_examples=30)
@given(data=st.data())
def test_any_json_becomes_sound_alerts_or_a_refusal_and_always_the_same(name: str, data: st.DataObject) -> None:
    recorded_json = resembling(name) if name != "email" else st.nothing()
    payload = data.draw(recorded_json | payloads.get(name, things | anything | texts))
    before = copy.deepcopy(payload)
    parse = table.SOURCES[name].parse
    try:
        alerts = parse(payload, now=NOW)
    except PayloadRefusedError as refused:
        with pytest.raises(PayloadRefusedError, match=re.escape(str(refused))):
            parse(before, now=NOW)
        return
    assert {alert.source for alert in alerts} <= {name}
    for alert in alerts:
        expect_sound(alert)
    # NaN is not equal to itself; the text of both is.
    assert repr(payload) == repr(before)
    assert parse(before, now=NOW) == alerts


@bounded
@given(groups)
def test_no_member_of_an_accepted_group_is_dropped(group: dict[str, Any]) -> None:
    try:
        alerts = alertmanager.parse(group, now=NOW)
    except PayloadRefusedError:
        return
    assert len(alerts) == len(group["alerts"])


@bounded
@given(st.binary(max_size=200) | (events | anything).map(lambda value: json.dumps(value).encode()))
@example(b'{"a":' * 10_000)
@example(b'{"routing_key":1e999}')
def test_any_bytes_are_an_event_or_a_refusal_with_pagerdutys_shape(body: bytes) -> None:
    read = compat.read_event(body, now=NOW, new_dedup_key=lambda: "made")
    if isinstance(read, compat.Event):
        assert read.dedup_key == read.alert.dedup_key
        expect_sound(read.alert)
    else:
        assert read.status == 400
        assert read.body["errors"]
        assert isinstance(json.loads(json.dumps(read.body)), dict)
    assert isinstance(compat.read_change_event(body, now=NOW), compat.ChangeEvent | compat.Refusal)


@bounded
@given(st.text(st.characters()))
def test_cleaning_twice_is_cleaning_once_and_ordinary_text_is_untouched(text: str) -> None:
    cleaned = reading.clean(text)
    assert reading.clean(cleaned) == cleaned
    assert not UNSTORABLE.search(cleaned)
    if not UNSTORABLE.search(text):
        assert cleaned == text


@bounded
@given(st.text(st.characters(), min_size=1, max_size=2_000))
def test_a_key_shortened_once_is_its_own_shortening(text: str) -> None:
    key = reading.dedup_key(text)
    assert reading.dedup_key(key) == key


@bounded
@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2900, 1, 1)),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_a_moment_is_the_same_in_every_spelling(naive: datetime, zone: timezone) -> None:
    expected = naive.replace(tzinfo=UTC)
    local = expected.astimezone(zone)
    assert reading.moment(local.isoformat()) == expected
    assert reading.moment(local.strftime("%Y-%m-%dT%H:%M:%S.%f%z")) == expected
    assert reading.moment(naive.isoformat(" ")) == expected
    assert reading.moment(naive.isoformat() + "Z") == expected
    assert reading.moment(naive.isoformat() + "+00:00Z") == expected


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "javascript://x.example.org/%0aalert(1)",
        "data:text/html,x",
        "ftp://x.example.org/a",
        "https://",
        "//x.example.org",
        "x.example.org",
        "http://[",
        "http://x.example.org/\na",
        "http://x.example.org/" + "a" * reading.LINK_CHARACTERS_MAX,
        {"href": "http://x.example.org"},
    ],
)
def test_only_web_addresses_become_links(address: Any) -> None:
    assert reading.link(address) is None


def test_an_address_is_repaired_where_that_is_safe() -> None:
    link = reading.link(" HTTPS://x.example.org/a?q=disk full ", "Graph\n1")
    assert link is not None
    assert (link.href, link.text) == ("https://x.example.org/a?q=disk%20full", "Graph 1")


def test_labels_beyond_the_limit_are_counted_where_they_can_be_seen() -> None:
    found = reading.labels({f"n{number}": number for number in range(reading.LABELS_MAX + 3)})
    assert len(found) == reading.LABELS_MAX + 1
    assert found["(more labels)"] == "3, in the payload as received"


def test_notes_stay_when_the_text_before_them_is_cut() -> None:
    _, body = reading.compose("t", "x" * (BODY_CHARACTERS_MAX + 1), notes=["seven are missing"])
    assert len(body) <= BODY_CHARACTERS_MAX
    assert body.endswith("… (cut here; the whole text is in the payload as received)\n\n[Tocsin] seven are missing")


def test_nesting_beyond_the_limit_is_marked_and_not_followed() -> None:
    value: Any = "deep"
    for _ in range(900):
        value = [value]
    assert "nested too deeply" in json.dumps(reading.storable(value))
    assert reading.readable(value).endswith("…")


def test_every_source_is_named_after_itself() -> None:
    assert [name for name, source in table.SOURCES.items() if name != source.name] == []
