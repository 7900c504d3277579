"""The judge itself: what the providers' descriptions refuse is refused here."""

from __future__ import annotations

import pytest

from tests.fakes import published

ANNOUNCED = {"channel": "C1", "text": "x", "blocks": [{"type": "divider"}], "unfurl_links": False}
TEXTED = {"To": ["+15005550101"], "From": ["+15005550006"], "Body": ["x"]}


def test_what_is_right_passes() -> None:
    assert published.slack("chat.postMessage", ANNOUNCED, is_json=True) == []
    assert published.twilio("Messages", TEXTED) == []
    events = {"To": ["+1"], "From": ["+2"], "Timeout": ["30"], "StatusCallbackEvent": ["initiated", "answered"]}
    assert published.twilio("Calls", events) == []


@pytest.mark.parametrize(
    ("method", "arguments", "said"),
    [
        ("chat.postMesage", {}, "Slack has no method"),
        ("chat.postMessage", {"text": "x"}, "channel is required"),
        ("chat.update", {"channel": "C1", "text": "x"}, "ts is required"),
        ("chat.postMessage", ANNOUNCED | {"unfurl_links": "no"}, "unfurl_links must be boolean"),
        ("chat.postMessage", ANNOUNCED | {"thread": "1.2"}, "there is no argument thread"),
        ("chat.postMessage", ANNOUNCED | {"blocks": 5}, "blocks must be"),
        ("views.open", {"view": {}}, "trigger_id is required"),
    ],
)
def test_slacks_description_finds_what_is_wrong(method: str, arguments: dict[str, object], said: str) -> None:
    assert said in published.slack(method, arguments, is_json=True)[0]


@pytest.mark.parametrize(
    ("resource", "changed", "said"),
    [
        ("Messages", {"To": None}, "To is required"),
        ("Messages", {"Bodyy": ["x"]}, "there is no argument Bodyy"),
        ("Messages", {"MessagingServiceSid": ["MG1"]}, "MessagingServiceSid must match"),
        ("Messages", {"StatusCallback": ["not a url"]}, "StatusCallback must be a URI"),
        ("Calls", {"Timeout": ["soon"], "Body": None}, "Timeout must be integer"),
        ("Calls", {"Method": ["PUT"], "Body": None}, "Method must be one of"),
    ],
)
def test_twilios_description_finds_what_is_wrong(
    resource: str, changed: dict[str, list[str] | None], said: str
) -> None:
    form = {name: values for name, values in {**TEXTED, **changed}.items() if values is not None}
    assert said in published.twilio(resource, form)[0]
