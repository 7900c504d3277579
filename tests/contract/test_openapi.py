"""The API against its own description: whatever is sent, nothing answers 5xx, and every answer is one that is told of.

`make fuzz` asks for longer; it is worth it before a release.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

import wsgi
from config.database import Database
from config.settings import Settings
from incidents.proof import timeline
from tests import peopled
from tests.databases import migrated_sqlite_file
from tests.peopled import ALL_ROLES, NOBODY, OBSERVER, Peopled
from tests.spoiling import json_values, spoil

EXAMPLES = int(os.environ.get("TOCSIN_TEST_API_EXAMPLES", "5"))  # of each operation, of either kind
DOCUMENT = "/api/openapi.json"

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]

# No names and one empty name are written alike in a query.
ALIKE_WHEN_SENT = {"GET /api/v1/incidents"}
# These show what would be, and change nothing.
ASKING = {"POST /api/v1/simulate"}

# What a field of that name may hold so that it means something to the team of `peopled`; `""` stands among them for
# what the description alone suggests.
MEANT: dict[str, list[Any]] = {
    "responder": ["ana", "bo", "mia", None],
    "replaces": ["ana", None],
    "other": ["bo", "ana"],
    "schedule": ["primary", "nights"],
    "policy": ["standard", "nightly"],
    "service": ["checkout", "event-store"],
    "item": ["preserve-evidence"],
    "for": ["2h", "90s", "8d"],
    "until": ["2026-11-16T14:00:00Z"],
    "min_end_at": ["2026-11-20T10:00:00Z", "2026-11-10T10:00:00Z"],
    "starts_at": ["2026-11-23T08:00", "2026-11-24", "2026-11-23T08:00:00Z"],
    "ends_at": ["2026-11-23T18:00", "2026-11-25", "2026-11-23T18:00:00+01:00"],
    "gives_starts_at": ["2026-11-24T08:00"],
    "gives_ends_at": ["2026-11-24T18:00"],
    "timezone": ["UTC", "Europe/Lisbon", ""],
    "channel": ["sms", "email", "voice", "slack", "telegram"],
    "address": ["+351910000001", "ana.l@example.org", "U0ANA2", "Ünï@example.org"],
    "after": ["0s", "90s"],
    "by": ["sms", "slack"],
    "from": ["22:00"],
    "to": ["07:00"],
}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    file = migrated_sqlite_file(tmp_path_factory.mktemp("openapi"))
    database = Database(f"sqlite:///{file}", before_commit=timeline.write)
    made = Peopled(database)
    yield made
    made.close()
    database.close()


def _document() -> Any:
    """That of the whole application, as it is served."""
    app = wsgi.create_app(Settings(database_url="sqlite://", secret_key="s" * 32))
    return app.test_client().get(DOCUMENT).get_json()


WHOLE = _document()
REJECTED = [400, 401, 403, 404, 405, 409, 413, 422, 429]
SCHEMA = schemathesis.openapi.from_dict(
    WHOLE,
    config=schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REJECTED}}}),
)
OPERATIONS: dict[str, APIOperation[Any, Any, Any]] = {
    found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)
}


def addresses(operation: APIOperation[Any, Any, Any], team: Peopled) -> list[dict[str, Any]]:
    """The values of the path's variables that lead to something."""
    names = re.findall(r"{(\w+)}", operation.path)
    keys = {"schedules": ["nights", "primary"], "policies": ["nightly", "standard"], "hours": ["office"],
            "responders": ["bo", "ana"]}.get(operation.path.split("/")[3], [])  # fmt: skip
    numbers = team.numbers if operation.path.startswith("/api/v1/incidents/") else [1, 2, 3]
    known: dict[str, list[Any]] = {"number": numbers, "hold": [1], "key": keys}
    if not names:
        return [{}]
    first, *others = names
    return [{first: value, **{name: known[name][0] for name in others}} for value in known[first]]


def bodies(operation: APIOperation[Any, Any, Any]) -> Any | None:
    """Of what is taken as tocsin.yaml writes it, which the description leaves open."""
    _, _, _, kind, *rest = operation.path.split("/")
    is_written = (
        operation.method in ("put", "post") and kind in peopled.WRITTEN and rest in (["{key}"], ["{key}", "preview"])
    )
    return peopled.WRITTEN[kind] if is_written else None


@st.composite
def cases(draw: st.DrawFn, operation: APIOperation[Any, Any, Any], mode: GenerationMode, team: Peopled) -> Any:
    """Requests as they are described (or just not), most of them to something that exists."""
    if mode.is_positive and draw(st.integers(0, 3)):
        case = draw(operation.as_strategy(mode, path_parameters=draw(st.sampled_from(addresses(operation, team)))))
    else:
        case = draw(operation.as_strategy(mode))
    if not mode.is_positive:
        return case
    written = bodies(operation)
    if written is not None:
        case.body = deepcopy(written)
        for _ in range(draw(st.integers(0, 3))):
            spoil(draw, case.body, json_values)
    elif isinstance(case.body, dict):
        for name in sorted(set(case.body) & set(MEANT)):
            if draw(st.integers(0, 3)):
                case.body[name] = draw(st.sampled_from(MEANT[name]))
    return case


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate] if examples < 50 else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def told_of(operation: APIOperation[Any, Any, Any], status: int) -> bool:
    """By itself, that is: `default` covers what nobody thought of."""
    return str(status) in operation.definition.raw["responses"]


def ask(team: Peopled, case: Any, by: str) -> Any:
    team.afresh()
    headers = {"Authorization": f"Bearer {team.tokens[by]}"} if by else {}
    return case.call(app=team.edge.app, headers=headers)


def test_what_is_tried_is_the_whole_api_and_asks_for_a_token_everywhere(team: Peopled) -> None:
    """The rest of this file asks `Edge`, whose clock stands still, what the served document tells of."""
    assert set(team.edge.client.get(DOCUMENT).get_json()["paths"]) == set(WHOLE["paths"])
    assert WHOLE["security"] == [{"token": []}]
    assert [label for label, operation in OPERATIONS.items() if "security" in operation.definition.raw] == []


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_without_a_token_nothing_is_answered_but_401(team: Peopled, label: str) -> None:
    operation = OPERATIONS[label]

    @bounded(max(EXAMPLES // 3, 1))
    @given(case=cases(operation, GenerationMode.POSITIVE, team) | cases(operation, GenerationMode.NEGATIVE, team))
    def try_it(case: Any) -> None:
        answer = ask(team, case, NOBODY)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code in (401, 404), answer.text  # 404: no such address at all
        assert team.is_untouched(), f"{label} was done for a stranger"

    try_it()


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_an_observer_changes_nothing(team: Peopled, label: str) -> None:
    operation = OPERATIONS[label]

    @bounded(max(EXAMPLES // 3, 1))
    @given(case=cases(operation, GenerationMode.POSITIVE, team))
    def try_it(case: Any) -> None:
        answer = ask(team, case, OBSERVER)
        case.validate_response(answer, checks=CHECKS)
        assert told_of(operation, answer.status_code), f"{label} answers {answer.status_code}: {answer.text}"
        assert operation.method == "get" or answer.status_code >= 400 or label in ASKING, answer.text

    try_it()


@pytest.mark.parametrize("label", sorted(OPERATIONS))
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_description_tells_of(team: Peopled, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]

    @bounded(EXAMPLES)
    @given(case=cases(operation, mode, team))
    def try_it(case: Any) -> None:
        answer = ask(team, case, ALL_ROLES)
        left_out = [checks.negative_data_rejection] if label in ALIKE_WHEN_SENT else []
        case.validate_response(answer, checks=CHECKS, excluded_checks=left_out)
        assert told_of(operation, answer.status_code), f"{label} answers {answer.status_code}: {answer.text}"

    try_it()
