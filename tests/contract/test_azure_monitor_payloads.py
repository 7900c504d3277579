"""What Azure Monitor sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources import azure_monitor
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_metric_alert_fires_and_resolves_under_its_id() -> None:
    fired, resolved = one("azure-monitor", "fired.json"), one("azure-monitor", "resolved.json")
    assert fired.dedup_key == resolved.dedup_key
    assert (fired.status, resolved.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert fired.title == "disk-full"
    assert fired.body.startswith("Диск — 磁盘 🔥\n\n")
    assert "metricValue: 97.4" in fired.body
    assert fired.severity_hint is Severity.HIGH
    assert fired.service == "vm1"
    assert (fired.labels["drive"], fired.labels["resource_group"]) == ("C", "payments-rg")
    assert fired.started_at == datetime(2026, 11, 20, 7, 58, 24, 371321, tzinfo=UTC)
    assert fired.url.startswith("https://portal.azure.com/#blade/")


def test_an_alert_without_an_item_and_with_other_types_is_read() -> None:
    alert = one("azure-monitor", "service_health.json")
    assert (alert.service, alert.severity_hint) == ("", Severity.INFO)


def test_the_test_of_an_action_group_asks_for_nobody() -> None:
    assert azure_monitor.parse(kept("azure-monitor", "test_action_group.json"), now=NOW) == []


def test_another_schema_is_refused() -> None:
    assert recorded.refused("azure-monitor", {"schemaId": "AzureMonitorMetricAlert", "data": {}}) == "data.essentials"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {"metric.test-action.fired.docs.json": []}
    assert recorded.differences("azure-monitor", "azure-monitor", otherwise) == {}
