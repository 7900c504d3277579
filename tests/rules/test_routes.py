"""Every route needs a caller, or is here by name, with what it asks for instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

import wsgi
from config import auth
from config.settings import Settings

OTHERS = ("GET", "PUT", "PATCH", "DELETE")
ALERT = "/v2/alerts/<anything:identifier>"
VERBS = (
    "any(acknowledge,actions,assign,close,description,details,escalate,message,notes,priority,responders,snooze,tags,"
    "teams,unacknowledge)"
)
OPSGENIE = {
    "POST /v2/alerts",
    "GET /v2/alerts/count",
    "GET /v2/alerts/requests/<request_id>",
    f"GET {ALERT}",
    f"DELETE {ALERT}",
    f"POST {ALERT}/actions/<action>",
    *(f"{method} {ALERT}/<{VERBS}:verb>{slash}" for method in ("POST", "PUT", "DELETE") for slash in ("", "/")),
    *(f"{method} /v2/alerts" for method in OTHERS),
    *(f"{method} /v2/alerts/<anything:rest>" for method in ("POST", *OTHERS)),
    *(f"{method} /v2/heartbeats/<anything:rest>" for method in ("POST", *OTHERS)),
    *(f"{method} /v2/heartbeats/<anything:name>/ping" for method in ("GET", "POST", "PUT", "PATCH")),
}
ONCALL = ("/integrations/v1/<kind>/<token>/heartbeat",)
PUBLIC = {
    "GET /": "leads on to a page that asks",
    "GET /assets/<path:filename>": "styles and pictures, the same for everybody",
    "GET /sign-in": "how one becomes a caller",
    "POST /sign-in": "an e-mail address and its password",
    "POST /sign-out": "the form's token; ends a session, if there is one",
    "GET /healthz": "tells nothing but that the process lives",
    "GET /readyz": "tells whether pages go out, nothing of incidents",
    "GET /metrics": "a token, or a request from this machine itself",
    "GET /api/openapi.json": "the description of the API, the same for everybody",
    "POST /alerts/<source>/<key>": "the integration's key in the path",
    "PUT /alerts/<source>/<key>": "the same; Grafana can be told to",
    "GET /alerts/<source>/<key>": "the same; some senders put an alert in the query",
    "POST /v2/enqueue": "the routing key in the body",
    "POST /generic/2010-04-15/create_event.json": "the service key in the body",
    "POST /v2/change/enqueue": "the routing key in the body",
    **{f"{method} /v2/enqueue": "answers 405" for method in OTHERS},
    **{f"{method} /v2/change/enqueue": "answers 405" for method in OTHERS},
    **dict.fromkeys(OPSGENIE, "a GenieKey in the Authorization header"),
    **{f"{method} {path}": "the token in the path" for path in ONCALL for method in ("GET", "POST", "PUT", "PATCH")},
    "POST /integrations/v1/<kind>/<token>": "the token in the path",
    **{f"{method} /heartbeats/<key>": "the heartbeat's key in the path" for method in ("GET", "POST", "PUT", "PATCH")},
    "GET /calendars/<token>.ics": "a secret in the path, made by the person whose shifts it shows",
    "POST /replies/slack": "Slack's signature",
    "POST /replies/sms": "Twilio's signature",
    "POST /replies/voice": "Twilio's signature",
    "GET /act/<token>": "a signed link that was sent to one person; it asks, and does nothing",
    "POST /act/<token>": "the same link, good once and for a day",
    "POST /replies/sms/status": "Twilio's signature",
    "POST /replies/voice/status": "Twilio's signature",
}


@pytest.fixture(scope="module", params=[False, True], ids=["in earnest", "demo"])
def app(request: pytest.FixtureRequest) -> Iterator[Flask]:
    made = wsgi.create_app(Settings(database_url="sqlite://", secret_key="s" * 32, demo=request.param))
    yield made
    made.extensions["tocsin"].database.close()


def test_what_answers_anybody_is_listed_with_a_reason(app: Flask) -> None:
    assert set(auth.unprotected_routes(app)) == set(PUBLIC)


def test_every_other_route_refuses_a_stranger(app: Flask) -> None:
    """Asked of the app itself: the list above is of marks."""
    answered = {
        f"{method} {rule.rule}": app.test_client().open(_address(rule.rule), method=method).status_code
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if f"{method} {rule.rule}" not in PUBLIC
    }
    assert len(answered) > 10
    assert {route: status for route, status in answered.items() if status != 401} == {}


def _address(rule: str) -> str:
    """A path of this rule: 1 for every number in it, `x` for every text."""
    return re.sub(r"<[^>]*>", "x", re.sub(r"<int\b[^>]*>", "1", rule))
