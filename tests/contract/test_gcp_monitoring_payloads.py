"""What Google Cloud Monitoring sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources import gcp_monitoring
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_an_incident_opens_and_closes_under_its_id() -> None:
    opened, closed = one("gcp-monitoring", "open.json"), one("gcp-monitoring", "closed.json")
    assert opened.dedup_key == closed.dedup_key == "0.abc"
    assert (opened.status, closed.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert opened.title == "VM CPU < 10 %"
    assert opened.body == "CPU of app-1 is 磁盘 🔥\n\nLook at the\ndashboard.\n\nObserved: 12.5 (threshold 5.0)"
    assert opened.severity_hint is Severity.MEDIUM
    assert opened.service == "ledger"
    assert opened.labels["zone"] == "europe-west1-b"
    assert opened.started_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_the_subject_that_somebody_wrote_is_the_title() -> None:
    alert = one("gcp-monitoring", "incident.open.keep-mock.json")
    assert alert.title == "High rate of 5XX errors detected in production environment"
    assert alert.labels["alertname"] == "5XX Error Rate > 5%"
    assert alert.started_at is None


def test_a_test_notification_asks_for_nobody() -> None:
    assert gcp_monitoring.parse(kept("gcp-monitoring", "test-notification.json"), now=NOW) == []


def test_something_elses_payload_is_refused() -> None:
    assert recorded.refused("gcp-monitoring", {"hello": "world"}) == "incident"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {"test-notification.json": []}
    assert recorded.differences("gcp-monitoring", "gcp-monitoring", otherwise) == {}
