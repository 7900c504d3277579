"""What Uptime Kuma sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources import uptime_kuma
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_monitor_goes_down_and_comes_up_under_its_number() -> None:
    down, up = one("uptime-kuma", "webhook.down.http-unicode.json"), one("uptime-kuma", "webhook.up.http.json")
    assert down.dedup_key == up.dedup_key == "monitor.id=1"
    assert (down.status, up.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert down.title == "Checkout API — 磁盘 🔥"
    assert down.body.startswith("[Checkout API — 磁盘 🔥] [🔴 Down] connect ECONNREFUSED")
    assert down.labels["team"] == "payments"
    assert down.started_at == datetime(2026, 11, 20, 18, 34, 52, 39000, tzinfo=UTC)
    assert down.url == "http://127.0.0.1:19701/health?x=1&y=2"


def test_a_form_and_a_query_are_read_like_json() -> None:
    sent = one("uptime-kuma", "webhook.down.tcp-port.json")
    assert sent.url == ""  # "https://" stands where a monitor has no address
    for name in ("webhook.form-data.down.txt", "webhook.get.down.json"):
        other = one("uptime-kuma", name)
        assert (other.title, other.dedup_key, other.status) == (sent.title, sent.dedup_key, sent.status)
        assert other.labels["port"] == "19702"


def test_the_test_button_asks_for_nobody() -> None:
    assert uptime_kuma.parse(kept("uptime-kuma", "webhook.test-button.json"), now=NOW) == []


def test_pending_and_maintenance_ask_for_nobody() -> None:
    payload = kept("uptime-kuma", "webhook.down.tcp-port.json")
    for status in (2, 3):
        payload["heartbeat"]["status"] = status
        assert uptime_kuma.parse(payload, now=NOW) == []


def test_a_certificate_about_to_expire_is_one_alert_however_many_days_are_left() -> None:
    said = "[shop][https://shop.example.org] server certificate shop.example.org will expire in {} days"
    first, second = (
        uptime_kuma.parse({"heartbeat": None, "monitor": None, "msg": said.format(days)}, now=NOW)[0]
        for days in (21, 7)
    )
    assert first.dedup_key == second.dedup_key
    assert first.severity_hint is Severity.MEDIUM


def test_something_elses_payload_is_refused() -> None:
    assert recorded.refused("uptime-kuma", {"hello": "world"}) == "heartbeat"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {}
    assert recorded.differences("uptime-kuma", "uptime-kuma", otherwise) == {}
