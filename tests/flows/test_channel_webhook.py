from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Iterator

import pytest

from escalation.channels import webhook
from escalation.channels.base import ChannelError, Sent
from tests.fakes.providers import FakeProviders
from tests.messages import ACKNOWLEDGED, NOW, announcement, brief, page

SECRET = "shared-with-the-receiver"


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as running:
        yield running


@pytest.fixture
def channel() -> webhook.Webhook:
    return webhook.Webhook(SECRET, now=lambda: NOW)


def _refused(channel: webhook.Webhook, url: str) -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        channel.send(url, announcement())
    return refused.value


def test_the_receiver_gets_json_that_it_can_check(providers: FakeProviders, channel: webhook.Webhook) -> None:
    channel.send(providers.webhook_url, page(last_resort=True))
    [delivery] = providers.deliveries
    seconds = int(NOW.timestamp())
    digest = hmac.new(SECRET.encode(), f"{seconds}.".encode() + delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["tocsin-signature"] == f"t={seconds},v1={digest}"
    content = delivery.json
    assert (content["event"], content["level"], content["page_id"], content["last_resort"]) == ("page", 2, 7, True)
    assert content["incident"]["title"].startswith("Hash chain broken")
    assert content["standing"]["status"] == "open"


def test_the_receiver_hears_how_the_incident_went_on(providers: FakeProviders, channel: webhook.Webhook) -> None:
    sent = channel.send(providers.webhook_url, announcement())
    channel.update(providers.webhook_url, sent.ref, announcement(standing=ACKNOWLEDGED))
    first, second = providers.deliveries
    assert (first.json["event"], second.json["event"]) == ("announcement", "update")
    assert second.json["standing"]["acknowledged_by"] == "Ana Lima"
    assert channel.update(providers.webhook_url, {}, announcement()) == Sent()
    assert len(providers.deliveries) == 2


def test_any_writing_can_be_sent(providers: FakeProviders, channel: webhook.Webhook) -> None:
    channel.send(providers.webhook_url, announcement(brief(title="磁盘 🔥 \ud800")))
    assert providers.deliveries[0].json["incident"]["title"] == "磁盘 🔥 ?"


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (404, True), (410, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_a_receiver_that_refuses_is_asked_again_only_if_that_may_help(
    providers: FakeProviders, channel: webhook.Webhook, status: int, permanent: bool
) -> None:
    providers.fail("webhook", status=status, retry_after=9)
    refused = _refused(channel, providers.webhook_url)
    assert (refused.code, refused.permanent, refused.retry_after_seconds) == (str(status), permanent, 9.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_refusal_and_is_not_followed(
    providers: FakeProviders, channel: webhook.Webhook, status: int
) -> None:
    providers.fail("webhook", status=status, location=f"{providers.webhook_url}/elsewhere")
    refused = _refused(channel, providers.webhook_url)
    assert (refused.code, refused.permanent) == (str(status), True)
    assert [request.path for request in providers.requests] == ["/hook"]


def test_a_receiver_that_breaks_off_is_a_passing_failure(providers: FakeProviders, channel: webhook.Webhook) -> None:
    providers.fail("webhook", drop=True)
    refused = _refused(channel, providers.webhook_url)
    assert (refused.code, refused.permanent) == ("network", False)


def test_a_receiver_that_never_answers_is_a_passing_failure_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/hook"
        refused = _refused(webhook.Webhook(SECRET, timeout_seconds=0.05), url)
    assert (refused.code, refused.permanent) == ("network", False)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/x", "example.org", "", "http://[", "http://a b/"]
)
def test_an_address_that_is_not_for_http_is_a_permanent_failure(channel: webhook.Webhook, url: str) -> None:
    refused = _refused(channel, url)
    assert (refused.code, refused.permanent) == ("address", True)
