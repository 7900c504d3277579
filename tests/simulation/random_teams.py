"""Teams at random, as the tocsin.yaml that declares them: every option of policies, schedules and people."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from escalation.oncall import instants

ZONES = ("UTC", "Europe/Lisbon", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
PLACES = ("PT", "DE-BE", "US")
# Around the nights on which clocks change in some of the zones, public holidays, and ordinary days.
MOMENTS = (
    datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2026, 4, 4, 14, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 15, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2026, 12, 24, 17, 0, tzinfo=UTC),
    datetime(2026, 11, 16, 10, 0, tzinfo=UTC),
    datetime(2026, 11, 17, 2, 0, tzinfo=UTC),
)
WAYS = ("slack", "sms", "voice", "email")
SERVICES = ("checkout", "ledger")
NAMES = ("ana", "bo", "cy", "di", "eve", "fay")


def service_key(name: str) -> str:
    """What its sender carries."""
    return f"{SERVICES.index(name):032d}"


def team(rng: random.Random, *, begins: datetime) -> str:
    """A configuration that can be applied, for a story that begins then."""
    people = NAMES[: rng.randint(2, len(NAMES))]
    declared: dict[str, Any] = {
        "responders": {key: _person(rng, index, key, begins) for index, key in enumerate(people)},
        "schedules": {key: _schedule(rng, people, begins) for key in ("primary", "secondary")},
        "hours": {key: _hours(rng) for key in ("office", "late")},
        "policies": {key: _policy(rng, people) for key in ("standard", "other")},
        "services": {key: _service(rng, key) for key in SERVICES},
        "last_resort": [f"responder:{key}" for key in rng.sample(people, rng.randint(1, 2))],
    }
    return yaml.safe_dump(declared, sort_keys=False)


def _person(rng: random.Random, index: int, key: str, begins: datetime) -> dict[str, Any]:
    person: dict[str, Any] = {"name": key.title(), "timezone": rng.choice(ZONES)}
    person["roles"] = sorted({"responder", rng.choice(("manager", "observer", "keeper"))})
    has = {"email": f"{key}@example.org", "slack": f"U0{key.upper()}", "phone": f"+1500555010{index}"}
    person |= {each: has[each] for each in rng.sample(sorted(has), rng.randint(1, 3))}
    ways = [way for way in WAYS if ("phone" if way in ("sms", "voice") else way) in person]
    if rng.random() < 0.7:
        person["page_by"] = {urgency: _steps(rng, ways) for urgency in ("high", "low") if rng.random() < 0.8}
    if rng.random() < 0.4:
        person["quiet"] = {"from": _clock(rng, 18, 23), "to": _clock(rng, 5, 11)}
    if rng.random() < 0.3:
        since = (begins + timedelta(days=rng.randint(-3, 3))).date()
        person["time_off"] = [{"from": str(since), "to": str(since + timedelta(days=rng.randint(0, 5)))}]
    if rng.random() < 0.3:
        person["holidays"] = rng.choice(PLACES)
    return person


def _steps(rng: random.Random, ways: list[str]) -> list[dict[str, str]]:
    steps: dict[tuple[int, str], dict[str, str]] = {}
    for _ in range(rng.randint(1, 3)):
        after, by = rng.choice((0, 0, 1, 3, 10)), rng.choice(ways)
        step = {"after": f"{after}m", "by": by}
        if rng.random() < 0.4:
            step |= {"from": _clock(rng, 0, 23), "to": _clock(rng, 0, 23)}
        steps[after, by] = step
    return list(steps.values())


def _clock(rng: random.Random, earliest: int, latest: int) -> str:
    return f"{rng.randint(earliest, latest):02d}:{rng.choice((0, 15, 30)):02d}"


def _schedule(rng: random.Random, people: tuple[str, ...], begins: datetime) -> dict[str, Any]:
    zone = rng.choice(ZONES)
    rotations = [_rotation(rng, people, begins, zone) for _ in range(rng.randint(1, 3))]
    rotations[0].pop("shadow", None)  # somebody is on call for pages
    return {"timezone": zone, "rotations": rotations}


def _rotation(rng: random.Random, people: tuple[str, ...], begins: datetime, zone: str) -> dict[str, Any]:
    members = rng.sample(people, rng.randint(1, len(people)))
    starts = begins.replace(tzinfo=None, minute=0) - timedelta(hours=rng.randint(-2, 400))
    while instants.problem(starts, zone):
        starts -= timedelta(hours=1)  # a wall time that comes once
    rotation: dict[str, Any] = {
        "members": members,
        "starts": starts.isoformat(timespec="minutes"),
        "turn": rng.choice(("1h", "5h", "1d", "2d", "1w", "1mo")),
    }
    if rng.random() < 0.3:
        rotation["only"] = [
            {"days": rng.sample(DAYS, rng.randint(1, 7)), "from": _clock(rng, 0, 12), "to": _clock(rng, 13, 23)}
        ]
    if len(members) > 1 and rng.random() < 0.2:
        rotation["at_once"] = 2
    if rng.random() < 0.2:
        rotation["shadow"] = True
    elif rng.random() < 0.5:
        rotation["layer"] = rng.randint(1, 3)
    return rotation


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _hours(rng: random.Random) -> dict[str, Any]:
    hours = {"timezone": rng.choice(ZONES), "from": _clock(rng, 0, 23), "to": _clock(rng, 0, 23)}
    if rng.random() < 0.6:
        hours["days"] = rng.sample(DAYS, rng.randint(1, 6))  # type: ignore[assignment]  # a list among texts
    return hours | ({"holidays": rng.choice(PLACES)} if rng.random() < 0.5 else {})


def _policy(rng: random.Random, people: tuple[str, ...]) -> dict[str, Any]:
    targets = ["schedule:primary", "schedule:secondary", "role:manager", "role:keeper"]
    targets += [f"responder:{key}" for key in people]
    levels = []
    after = 0
    for number in sorted(rng.sample(range(1, 5), rng.randint(1, 4))):
        level: dict[str, Any] = {"level": number, "after": f"{after}m"}
        level["page"] = rng.sample(targets, rng.randint(1, 3))
        if rng.random() < 0.3:
            level["round_robin"] = True
        if rng.random() < 0.4:
            level[rng.choice(("during", "outside"))] = rng.choice(("office", "late"))
        levels.append(level)
        after += rng.choice((1, 5, 10, 45))
    policy: dict[str, Any] = {"repeat": rng.randint(0, 2), "levels": levels}
    if rng.random() < 0.3:
        policy["repeat_after"] = f"{rng.randint(1, 40)}m"
    return policy


def _service(rng: random.Random, key: str) -> dict[str, Any]:
    service: dict[str, Any] = {"policy": rng.choice(("standard", "other")), "timezone": rng.choice(ZONES)}
    service["integrations"] = [{"source": "pagerduty", "key": service_key(key)}]
    if rng.random() < 0.5:
        service["holidays"] = rng.choice(PLACES)
    if rng.random() < 0.5:
        choice = {"policy": "other", rng.choice(("during", "outside")): rng.choice(("office", "late"))}
        service["policies"] = [choice | {"severity": rng.sample(("HIGH", "MEDIUM", "LOW"), 2)}]
    return service
