"""Every address of the application under requests of every kind: nothing answers 5xx, and what is not authenticated
changes nothing. The addresses are those of the route table, so that a new one is tried too.

`make fuzz` asks for longer.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import wsgi
from config import clock
from config.database import Database
from config.settings import Settings
from incidents import arrivals
from incidents.proof import timeline
from incidents.sources.table import SOURCES
from tests.calling import counted
from tests.contract import recorded
from tests.databases import migrated_sqlite_file
from tests.fakes import slack, twilio
from tests.peopled import HEARTBEAT_KEY, Peopled, key_of
from tests.rules import house
from tests.spoiling import anything, spoil, texts
from tests.world import KEY, MONDAY, PHONES

EXAMPLES = int(os.environ.get("TOCSIN_TEST_REQUESTS", "5"))  # of each address and method
BASE_URL = "https://tocsin.example.org"
SETTINGS = Settings(
    database_url="sqlite://",
    base_url=BASE_URL,
    secret_key="a secret key for tests, 32 and more",
    slack_signing_secret=slack.SIGNING_SECRET,
    twilio_account_sid=twilio.ACCOUNT_SID,
    twilio_auth_token=twilio.AUTH_TOKEN,
    twilio_from=twilio.SENDER,
)
NOW = MONDAY + timedelta(minutes=10)


def _routes() -> list[tuple[str, str]]:
    app = wsgi.create_app(SETTINGS)
    found = [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    app.extensions["tocsin"].database.close()
    return sorted(found)


ROUTES = _routes()
NAMES_OF_FIELDS = sorted(
    {
        name
        for file in house.files()
        if file.suffix == ".html"
        for name in re.findall(r'name="([a-z_]+)"', house.text(file))
    }
)
# What the variable of an address may be so that it leads somewhere.
IN_PATHS: dict[str, list[str]] = {
    "number": ["1", "2", "4"],
    "hold": ["1"],
    "step": ["1"],
    "override_id": ["1"],
    "source": sorted(SOURCES),
    "kind": ["schedule", "policy", "hours", "alertmanager", "webhook", "formatted_webhook"],
    "key": ["nights", "office", HEARTBEAT_KEY],
    "schedule": ["primary"],
    "answer": ["confirm", "decline"],
    "token": [key_of("alertmanager"), key_of("generic")],
    "name": ["backup", "scaling"],
    "identifier": ["open", "a/b//c", "1"],
    "request_id": ["0" * 36],
    "filename": ["tocsin.css", "../wsgi.py"],
}
SECRETS = ("key", "token")  # whoever knows it is let in
VALUES = [
    "1", "2", "ana", "bo", "primary", "nights", "standard", "checkout", "HIGH", "operational", "2h", "90s", "fixed",
    "2026-11-23", "2026-11-23T08:00", "08:00", "UTC", "sms", "+351910000001", "contained", "approve", "resolve", "on",
]  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Peopled, Any]]:
    patch = pytest.MonkeyPatch()
    patch.setattr(arrivals, "in_a_moment", arrivals.at_once)  # nothing goes on beside the requests
    patch.setattr(clock, "now", lambda: NOW)
    url = f"sqlite:///{migrated_sqlite_file(tmp_path_factory.mktemp('requests'))}"
    database = Database(url, before_commit=timeline.write)
    team = Peopled(database)
    app = wsgi.create_app(Settings(**{**_fields(SETTINGS), "database_url": url}))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False  # or no form would get further than its token
    yield team, app
    app.extensions["tocsin"].database.close()
    team.close()
    database.close()
    patch.undo()


def _fields(of: Settings) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__dataclass_fields__}


KINDS = [
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain; charset=\xff",
    "",
    "a/b",
]


def encoded(fields: dict[str, str]) -> str:
    return urlencode(
        {
            name.encode("utf-8", "surrogatepass"): value.encode("utf-8", "surrogatepass")
            for name, value in fields.items()
        }
    )


@st.composite
def paths(draw: st.DrawFn, rule: str, *, signed: bool) -> str:
    def value(match: re.Match[str]) -> str:
        converter, name = match[1] or "", match[2]
        if converter.startswith("any("):
            return draw(st.sampled_from(converter[4:-2].split(",")))
        known = IN_PATHS.get(name, []) if signed or name not in SECRETS else []
        chosen = draw(st.sampled_from(known)) if known and draw(st.integers(0, 3)) else draw(texts)
        return (
            quote(
                chosen.encode("utf-8", "surrogatepass"), safe="/" if name in ("identifier", "rest", "filename") else ""
            )
            or "x"
        )

    path = re.sub(r"<(?:([^<>]*?):)?(\w+)>", value, rule)
    if rule == "/alerts/<source>/<key>" and signed and draw(st.integers(0, 3)):
        source = draw(st.sampled_from(sorted(SOURCES)))
        path = f"/alerts/{source}/{key_of(source)}"
    return path


@st.composite
def payloads(draw: st.DrawFn, path: str, *, signed: bool) -> Any:
    """What a sender there may mean: what one of its kind sends, spoiled, or anything."""
    if not draw(st.integers(0, 3)):
        return draw(anything)
    if path.startswith("/alerts/") and (source := path.split("/")[2]) in SOURCES:
        folder = recorded.KEPT / source
    elif path.startswith("/v2/alerts"):
        folder = recorded.KEPT / "opsgenie"
    else:
        folder = recorded.KEPT / ("pagerduty" if path.startswith("/v2") else "alertmanager")
    payload = deepcopy(recorded.content(draw(st.sampled_from(sorted(folder.glob("*.json"))))))
    for _ in range(draw(st.integers(0, 2))):
        spoil(draw, payload)
    if path.startswith("/v2/") and isinstance(payload, dict):
        payload["routing_key"] = KEY if signed else "f" * 32
    return payload


forms = st.dictionaries(st.sampled_from(NAMES_OF_FIELDS), st.sampled_from(VALUES) | texts, max_size=12)


@st.composite
def slack_payloads(draw: st.DrawFn) -> dict[str, str]:
    if draw(st.booleans()):
        words = draw(st.sampled_from(["", "ack 1", "list", "note 1 x", "new", "help", "resolve 2"]) | texts)
        return {"command": "/incident", "text": words, "user_id": draw(st.sampled_from(["U0ANA", "U0BO"]) | texts),
                "trigger_id": "T1", "response_url": draw(texts)}  # fmt: skip
    verbs = st.sampled_from(["acknowledge", "resolve", "more", "escalate", "note"]) | texts
    action = {"action_id": draw(verbs), "value": draw(st.sampled_from(["1", "2", "99"]) | texts), "type": "button"}
    payload = slack.pressed_payload(action, user=draw(st.sampled_from(["U0ANA", "U0BO"]) | texts)) | {
        "trigger_id": "T1"
    }
    for _ in range(draw(st.integers(0, 2))):
        spoil(draw, payload)
    return {"payload": json.dumps(payload)}  # half a pair as the escape it may come as


@st.composite
def twilio_forms(draw: st.DrawFn) -> dict[str, str]:
    phone = draw(st.sampled_from(sorted(PHONES.values())) | texts)
    said = draw(st.sampled_from(["ack 1", "resolve 2 fixed", "1", "ack all", "help", "9", "00001"]) | texts)
    form = draw(st.sampled_from([
        twilio.pressed_key(said, phone=phone),
        {**twilio.text_status("SM" + "1" * 32, said), "From": phone, "Body": said},
        twilio.call_status("CA" + "1" * 32, said),
    ]))  # fmt: skip
    return {name: value for name, value in form.items() if draw(st.integers(0, 5))}


@st.composite
def requests(draw: st.DrawFn, method: str, rule: str, *, signed: bool) -> dict[str, Any]:
    """`signed`: with everything that proves who sends it, where there is such a thing."""
    path = draw(paths(rule, signed=signed))
    query = draw(forms | st.dictionaries(texts, texts, max_size=3) | st.just({}))
    sent: dict[str, Any] = {"path": path, "method": method, "query_string": encoded(query)}
    headers = {
        "X-Request-Id": draw(st.sampled_from(["", "a b"])),
        "Accept": draw(st.sampled_from(["text/html", "*/*", "ä;q=x"])),
    }
    if rule.startswith("/replies/slack"):
        form = {name: value.encode("utf-8", "replace").decode() for name, value in draw(slack_payloads()).items()}
        made = slack.signed(form, NOW) if signed else slack.signed(form, NOW, "another secret")
        return sent | {"query_string": "", "data": made.body, "headers": headers | made.headers}
    if rule.startswith("/replies/"):
        form = {name: value.encode("utf-8", "replace").decode() for name, value in draw(twilio_forms()).items()}
        token = twilio.AUTH_TOKEN if signed else "another"
        headers["X-Twilio-Signature"] = twilio.signature(BASE_URL + path, form, token)
        return sent | {"query_string": "", "data": form, "headers": headers}
    kind = draw(st.integers(0, 3))
    if kind == 0:
        sent |= {"data": draw(st.binary(max_size=100)), "content_type": draw(st.sampled_from(KINDS))}
    elif kind == 1:
        sent |= {"data": encoded(draw(forms)), "content_type": "application/x-www-form-urlencoded"}
    elif method != "GET":
        sent |= {"data": json.dumps(draw(payloads(path, signed=signed))), "content_type": "application/json"}
    return sent | {"headers": headers}


def of_all_but_the_api(test: Any) -> Any:
    """Of the API, more is asked by its description. That /readyz says 503 while no engine runs is what it is for."""
    others = [(method, rule) for method, rule in ROUTES if not rule.startswith("/api/v1") and rule != "/readyz"]
    return pytest.mark.parametrize(("method", "rule"), others)(test)


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate] if examples < 50 else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@of_all_but_the_api
def test_nothing_answers_5xx_to_those_who_may(door: tuple[Peopled, Any], method: str, rule: str) -> None:
    team, app = door
    proof = f"GenieKey {key_of('opsgenie')}" if rule.startswith("/v2/") else f"Bearer {team.tokens['ana']}"

    @bounded(EXAMPLES)
    @given(requests(method, rule, signed=True))
    def try_it(sent: dict[str, Any]) -> None:
        team.afresh()
        answer = app.test_client().open(**sent | {"headers": sent["headers"] | {"Authorization": proof}})
        assert answer.status_code < 500, (sent, answer.text)
        answer.close()

    try_it()


@of_all_but_the_api
def test_whoever_proves_nothing_writes_nothing(door: tuple[Peopled, Any], method: str, rule: str) -> None:
    team, app = door
    team.afresh()

    @bounded(max(EXAMPLES // 2, 1))
    @given(requests(method, rule, signed=False), st.sampled_from(["", "Bearer tocsin_x", "GenieKey x", "Basic eDp5"]))
    def try_it(sent: dict[str, Any], proof: str) -> None:
        with counted(app.extensions["tocsin"].database) as statements:
            answer = app.test_client().open(**sent | {"headers": sent["headers"] | {"Authorization": proof}})
        assert answer.status_code < 500, (sent, answer.text)
        answer.close()
        assert [each for each in statements if not each.startswith("SELECT")] == [], sent

    try_it()
