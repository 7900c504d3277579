"""Golden vectors of senders' signatures, and what is not theirs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.sources import signatures, sns
from incidents.sources.base import PayloadRefusedError
from incidents.sources.signatures import GENUINE, Check, Sent
from tests.contract import recorded

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
GRAFANA_BODY = '{"receiver":"pager","status":"firing","alerts":[],"title":"Диск 🔥"}'
SENTRY_BODY = (
    r'{"action":"triggered","installation":{"uuid":"a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},"data":{"event":{"title":'
    r'"\u0414\u0438\u0441\u043a"}},"actor":{"type":"application","id":"sentry","name":"Sentry"}}'
)
SENTRY_SIGNATURE = "4f26ae03a7cbc94a12525d703e9023397507d47a3238a97120c64d979ba420de"
TIMED = {
    "x-grafana-alerting-signature": "51eb5c0fc5a9f76940c307ad5dd1349391b7aeae51ed69a31a52eae2ee10a15b",
    "x-grafana-alerting-timestamp": "1795168800",
}
AWS = "https://sns.eu-west-1.amazonaws.com/"


def unasked(address: str) -> bytes:
    raise AssertionError(f"{address} was fetched")


def sent(body: str | bytes, **headers: str) -> Sent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent(named, body.encode() if isinstance(body, str) else body, unasked)


VECTORS: dict[str, tuple[Check, str, Sent]] = {
    "github": (
        signatures.github,
        "It's a Secret to Everybody",
        sent(
            "Hello, World!",
            x_hub_signature_256="sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
    ),
    "grafana": (
        signatures.grafana,
        "test-hmac-secret",
        sent(
            GRAFANA_BODY,
            x_grafana_alerting_signature="9815f4cb789198e3cac2837f10edff5ae5f581889276d767810913961ec72f74",
        ),
    ),
    "grafana with a time": (signatures.grafana, "test-hmac-secret", Sent(TIMED, GRAFANA_BODY.encode(), unasked)),
    "sentry": (signatures.sentry, "sentry-test-secret", sent(SENTRY_BODY, sentry_hook_signature=SENTRY_SIGNATURE)),
    "gitlab": (signatures.gitlab, "geheim-密", sent("{}", x_gitlab_token="geheim-密")),
    "bearer": (signatures.bearer, "s3cret-enough", sent("{}", authorization="Bearer s3cret-enough")),
    "basic": (signatures.bearer, "s3cret-enough", sent("{}", authorization="Basic YW5hOnMzY3JldC1lbm91Z2g=")),
    "generic": (signatures.of_generic, "s3cret-enough", sent("{}", authorization="Bearer s3cret-enough")),
}


@pytest.mark.parametrize("name", VECTORS)
def test_what_the_sender_signed_is_genuine(name: str) -> None:
    check, secret, request = VECTORS[name]
    assert check(request, secret, NOW) == GENUINE


@pytest.mark.parametrize("name", VECTORS)
def test_another_secret_an_unsigned_request_and_odd_headers_are_not(name: str) -> None:
    check, secret, request = VECTORS[name]
    assert check(request, secret + "x", NOW)
    assert check(replace(request, headers={}), secret, NOW)
    for odd in ("", "é\udcff", "sha256=", "Bearer", "Basic ?", "x" * 10_000):
        assert check(replace(request, headers=dict.fromkeys(request.headers, odd)), secret, NOW)


@pytest.mark.parametrize("name", ["github", "grafana", "grafana with a time", "sentry"])
def test_another_body_is_not(name: str) -> None:
    check, secret, request = VECTORS[name]
    assert check(replace(request, body=request.body + b" "), secret, NOW)


def test_a_body_that_was_written_again_is_another_one() -> None:
    again = json.dumps(json.loads(SENTRY_BODY))
    assert signatures.sentry(sent(again, sentry_hook_signature=SENTRY_SIGNATURE), "sentry-test-secret", NOW)


@pytest.mark.parametrize(("seconds", "genuine"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_signed_time_may_be_five_minutes_off(seconds: int, genuine: bool) -> None:
    moment = datetime.fromtimestamp(1795168800 + seconds, UTC)
    check, secret, request = VECTORS["grafana with a time"]
    assert (check(request, secret, moment) == GENUINE) is genuine


# SNS


def check_sns(name: str, *, topic: str = "", now: datetime = recorded.NOW, **changed: Any) -> str:
    envelope = recorded.kept("cloudwatch", name) | changed
    certificate = (recorded.KEPT / "cloudwatch" / "signing-cert.pem").read_bytes()
    asked: list[str] = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return certificate

    found = sns.check(Sent({}, json.dumps(envelope).encode(), fetch), topic, now)
    assert all(address.startswith(AWS) for address in asked)
    return found


@pytest.mark.parametrize(
    "name",
    [
        "notification.alarm.v1.json",
        "notification.alarm.v2.json",
        "notification.plain-text-no-subject.v2.json",
        "subscriptionconfirmation.v1.json",
        "subscriptionconfirmation.v2.json",
        "unsubscribeconfirmation.v1.json",
    ],
)
def test_what_sns_signed_is_genuine(name: str) -> None:
    assert check_sns(name) == GENUINE


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("reject.evil-cert-host.json", "the certificate that it names is not AWS'"),
        ("reject.http-cert-url.json", "the certificate that it names is not AWS'"),
        ("reject.missing-signature.json", "it has no Signature"),
        ("reject.tampered-message.json", "its Signature is not of this message"),
        ("reject.unknown-signature-version.json", "its SignatureVersion is neither 1 nor 2"),
    ],
)
def test_what_sns_did_not_sign_is_not(name: str, problem: str) -> None:
    assert check_sns(name) == problem


def test_an_old_message_another_topic_and_a_broken_signature_are_not_taken() -> None:
    name = "notification.alarm.v1.json"
    assert check_sns(name, now=recorded.NOW + timedelta(hours=2)) == "it was sent more than an hour from now"
    assert check_sns(name, topic="arn:aws:sns:eu-west-1:123456789012:other") == "it is of another topic"
    assert check_sns(name, topic="arn:aws:sns:eu-west-1:123456789012:paging") == GENUINE
    assert check_sns(name, Signature="no base64!") == "it has no Signature"


def test_raw_delivery_is_taken_unless_a_topic_is_asked_for() -> None:
    raw = sent(json.dumps(recorded.kept("cloudwatch", "raw_delivery.json")))
    assert sns.check(raw, "", NOW) == GENUINE
    assert "delivered raw" in sns.check(raw, "arn:aws:sns:eu-west-1:123456789012:paging", NOW)


@pytest.mark.parametrize("spoilt", [b"\xef\xbb\xbf%s", b'{"x": "\xe9", %s', b'{"x": NaN, %s'])
def test_no_envelope_passes_for_raw_delivery(spoilt: bytes) -> None:
    envelope = recorded.kept("cloudwatch", "subscriptionconfirmation.v1.json") | {"Signature": ""}
    del envelope["TopicArn"]
    body = json.dumps(envelope).encode()
    assert sns.check(sent(spoilt % (body[1:] if b"{" in spoilt else body)), "", recorded.NOW) == "it has no Signature"


def test_what_is_no_certificate_is_told() -> None:
    body = json.dumps(recorded.kept("cloudwatch", "notification.alarm.v1.json")).encode()
    assert sns.check(Sent({}, body, lambda _: b"<html>"), "", recorded.NOW) == (
        "what its SigningCertURL gives is no certificate"
    )


def test_a_subscription_is_confirmed_at_aws_alone() -> None:
    assert sns.confirmation(recorded.kept("cloudwatch", "subscriptionconfirmation.v1.json")).startswith(AWS)
    assert sns.confirmation(recorded.kept("cloudwatch", "notification.alarm.v1.json")) == ""
    assert sns.confirmation(recorded.kept("cloudwatch", "unsubscribeconfirmation.v1.json")) == ""
    with pytest.raises(PayloadRefusedError):
        sns.confirmation(recorded.kept("cloudwatch", "reject.subscribe-url-ssrf.json"))


@pytest.mark.parametrize(
    "address",
    [
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com.pem",
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "https://sns.eu-west-1.amazonaws.com:x/x.pem",
        "https://user@sns.eu-west-1.amazonaws.com/x.pem",
        "https://s3.eu-west-1.amazonaws.com/x.pem",
        "https://[::1]/x.pem",
        "https://[/x.pem",
        "",
    ],
)
def test_only_aws_hosts_are_aws(address: str) -> None:
    assert not sns.is_aws(address)
    assert sns.is_aws("https://sns.cn-north-1.amazonaws.com.cn/x.pem")
