"""What New Relic sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources import newrelic
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, one


def test_an_issue_is_activated_acknowledged_and_closed() -> None:
    activated, acknowledged = one("newrelic", "workflow.activated.json"), one("newrelic", "workflow.acknowledged.json")
    assert activated.dedup_key == acknowledged.dedup_key == "c5faa7e6-7b54-402d-af79-f99601e0278c"
    assert (activated.status, acknowledged.status) == (AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED)
    assert one("newrelic", "workflow.closed.json").status is AlertStatus.RESOLVED
    assert activated.title == "zulip_app query result is > 1.0 for 1 minutes on 'Zulip Server Low Storage'"
    assert activated.severity_hint is Severity.CRITICAL
    assert (activated.service, activated.labels["policy"]) == ("zulip_app", "Golden Signals")
    assert activated.started_at == datetime(2024, 4, 22, 3, 5, 31, 352000, tzinfo=UTC)


def test_a_template_that_renamed_its_fields_is_read() -> None:
    renamed = {"id": "1", "name": ["Disk full"], "severity": "HIGH", "status": "CLOSED", "workflowName": "w"}
    (alert,) = newrelic.parse(renamed, now=NOW)
    assert (alert.title, alert.status, alert.severity_hint) == ("Disk full", AlertStatus.RESOLVED, Severity.HIGH)
    assert newrelic.parse(renamed | {"status": "DEACTIVATED"}, now=NOW) == []


def test_a_template_of_ones_own_is_read_leniently() -> None:
    (alert,) = newrelic.parse({"summary": "Disk full"}, now=NOW)
    assert (alert.source, alert.title) == ("newrelic", "Disk full")
    assert recorded.refused("newrelic", "x") == ""


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {}
    assert recorded.differences("newrelic", "newrelic", otherwise) == {}
