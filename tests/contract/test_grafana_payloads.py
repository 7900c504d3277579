"""What Grafana sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources import grafana
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_group_becomes_one_alert_per_member_with_a_status_of_its_own() -> None:
    first, second = grafana.parse(kept("grafana", "group_of_two.json"), now=NOW)
    assert (first.status, second.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert first.title == "Очередь растёт — 队列 🔥"
    assert first.body == "It has not\nmoved.\n\nValues:\nB: 93.75\nC: 1"
    assert first.dedup_key == "00c0ffee00c0ffee"
    assert first.severity_hint is Severity.CRITICAL
    assert first.service == "payments"
    assert first.started_at == datetime(2026, 11, 20, 7, 51, 3, 157076, tzinfo=UTC)
    assert [link.text for link in first.links] == ["Runbook", "Grafana", "Dashboard", "Silence it", "Grafana"]
    assert second.title == "CPU high"
    assert second.service == "Ops"


def test_a_rule_whose_query_fails_is_called_by_the_rule() -> None:
    alert = one("grafana", "datasource_error.json")
    assert alert.title == "DatasourceError (Queue grows)"
    assert "context deadline exceeded" in alert.body
    assert "3 more alerts were not sent" in alert.body


def test_the_test_of_a_contact_point_asks_for_nobody() -> None:
    assert grafana.parse(kept("grafana", "test.json"), now=NOW) == []


def test_the_same_labels_in_another_organisation_are_another_alert() -> None:
    group = kept("grafana", "group_of_two.json")
    del group["alerts"][0]["orgId"]
    group["orgId"] = 2
    assert grafana.parse(group, now=NOW)[0].dedup_key == "2/00c0ffee00c0ffee"


def test_the_old_webhook_fires_and_resolves_one_alert() -> None:
    firing, ok = one("grafana", "legacy-alerting.alerting.json"), one("grafana", "legacy-alerting.ok.json")
    assert (firing.title, firing.status, ok.status) == ("bob", AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert firing.dedup_key == ok.dedup_key == "ruleId=1"
    paused = kept("grafana", "legacy-alerting.ok.json") | {"state": "paused"}
    assert grafana.parse(paused, now=NOW) == []


def test_a_template_of_ones_own_is_read_leniently() -> None:
    (alert,) = grafana.parse({"title": "Disk full", "status": "resolved"}, now=NOW)
    assert (alert.source, alert.title, alert.status) == ("grafana", "Disk full", AlertStatus.RESOLVED)
    assert recorded.refused("grafana", {"version": "1"}) == "title"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {
        "webhook.test-notification.json": [],
        # The index names the rule; the summary, which people wrote, says more.
        **dict.fromkeys(
            ("webhook.firing-group-of-2.docs.json", "webhook.partial-resolve.json", "webhook.resolved.json"), None
        ),
    }
    assert recorded.differences("grafana", "grafana", otherwise) == {}
