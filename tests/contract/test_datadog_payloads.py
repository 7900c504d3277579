"""What Datadog sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, one


def test_a_monitor_triggers_and_recovers_under_the_key_of_its_cycle() -> None:
    triggered, recovered = one("datadog", "triggered.json"), one("datadog", "recovered.json")
    assert triggered.dedup_key == recovered.dedup_key == "a1b2c3d4e5f60718"
    assert (triggered.status, recovered.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert triggered.title == "[P2] [Triggered on {host:srv1-us1-prod}] High CPU Usage"
    assert triggered.severity_hint is Severity.HIGH
    assert (triggered.service, triggered.environment) == ("api", "production")
    assert triggered.labels["alertname"] == "High CPU"
    assert triggered.labels["monitor"] == "true"
    assert triggered.started_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert [link.text for link in triggered.links] == ["Datadog"]
    assert "%%%" not in triggered.body


def test_a_warning_is_less_urgent_than_the_monitors_priority() -> None:
    assert one("datadog", "warn.json").severity_hint is Severity.MEDIUM


def test_variables_that_do_not_apply_count_as_missing() -> None:
    alert = one("datadog", "unresolved_variables.json")
    assert alert.dedup_key == "1234567890"  # the monitor's: $ALERT_CYCLE_KEY stayed as it was written
    assert alert.severity_hint is Severity.HIGH  # by alert_type


def test_a_form_is_read_like_json() -> None:
    form, sent = one("datadog", "triggered.form.txt"), one("datadog", "triggered.json")
    assert (form.dedup_key, form.status, form.service) == (sent.dedup_key, sent.status, sent.service)


def test_a_template_of_ones_own_is_read_leniently() -> None:
    (alert,) = recorded.parse_of("datadog")({"summary": "Disk full"}, now=NOW)
    assert (alert.source, alert.title) == ("datadog", "Disk full")
    assert recorded.refused("datadog", ["x"]) == ""


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {
        # The index leaves their titles out.
        **dict.fromkeys(
            (
                "webhook.no-data.json",
                "webhook.re-triggered.json",
                "webhook.recovered.json",
                "webhook.warn.json",
            ),
            None,
        ),
    }
    assert recorded.differences("datadog", "datadog", otherwise) == {}
