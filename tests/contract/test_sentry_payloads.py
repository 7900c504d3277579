"""What Sentry sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources import sentry
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_an_issue_alert_and_the_issue_that_ends_it_have_one_key() -> None:
    fired, resolved = one("sentry", "event_alert.json"), one("sentry", "issue.created.json")
    assert fired.dedup_key == resolved.dedup_key == "issue/1635244907"
    assert fired.title == "TypeError: charge failed"
    assert fired.body == "amount is not a number\n\nIn: checkout.pay in charge\n\nRule: Payments fail"
    assert fired.severity_hint is Severity.CRITICAL
    assert fired.environment == "production"
    assert fired.labels["browser"] == "Chrome 140"
    assert fired.started_at == datetime(2026, 11, 20, 7, 6, 17, 677000, tzinfo=UTC)
    assert fired.url.startswith("https://sentry.example.org/organizations/acme/issues/")


def test_issues_open_and_end() -> None:
    assert one("sentry", "issue.created.json").status is AlertStatus.FIRING
    assert one("sentry", "issue.resolved.json").status is AlertStatus.RESOLVED
    assert one("sentry", "issue.created.json").service == "zulip-integration-testing"


def test_a_person_who_takes_an_issue_acknowledges_and_sentry_by_itself_does_not() -> None:
    assigned = kept("sentry", "issue.assigned.json")
    assert one("sentry", "issue.assigned.json").status is AlertStatus.ACKNOWLEDGED
    assigned["actor"] = {"type": "application", "id": "sentry", "name": "Sentry"}
    assert sentry.parse(assigned, now=NOW) == []


def test_a_metric_alert_rises_and_ends_under_one_key() -> None:
    alert = one("sentry", "metric_alert.json")
    assert (alert.title, alert.dedup_key) == ("Critical: Too many errors", "metric_alert/4")
    assert alert.body.startswith("1000 events in the last 10 minutes\nFilter: level:error")
    (ended,) = sentry.parse(kept("sentry", "metric_alert.json") | {"action": "resolved"}, now=NOW)
    assert (ended.status, ended.dedup_key) == (AlertStatus.RESOLVED, alert.dedup_key)


def test_what_is_about_the_installation_asks_for_nobody() -> None:
    assert sentry.parse(kept("sentry", "installation.created.json"), now=NOW) == []


def test_the_older_plugin_is_read() -> None:
    alert = one("sentry", "legacy-webhooks-plugin.json")
    assert (alert.title, alert.dedup_key) == ("Failed to fetch user profile", "issue/4616132097")


def test_something_elses_payload_is_refused() -> None:
    assert recorded.refused("sentry", {"hello": "world"}) == "data"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {}
    assert recorded.differences("sentry", "sentry", otherwise) == {}
