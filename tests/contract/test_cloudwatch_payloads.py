"""What CloudWatch sends through SNS becomes the right alerts."""

from datetime import UTC, datetime

from incidents.sources import cloudwatch
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_an_alarm_fires_and_resolves_under_its_arn() -> None:
    fired, ok = one("cloudwatch", "notification.alarm.v1.json"), one("cloudwatch", "notification.ok.v1.json")
    assert fired.dedup_key == ok.dedup_key == "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-HighCPU"
    assert (fired.status, ok.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert fired.title == "checkout-HighCPU"
    assert fired.body.startswith("CPU over 90 % on the checkout hosts — 磁盘 🔥\n\nThreshold Crossed")
    assert fired.service == "AWS/EC2"
    assert fired.labels["InstanceId"] == "i-0123456789abcdef0"
    assert fired.started_at == datetime(2026, 11, 20, 10, 5, 0, 123000, tzinfo=UTC)
    assert fired.url.startswith("https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#")


def test_raw_delivery_composite_alarms_and_eventbridge_are_read() -> None:
    assert one("cloudwatch", "raw_delivery.json").title == "db-low-memory"
    assert one("cloudwatch", "alarm-message.composite.json").title == "checkout-composite"
    event = one("cloudwatch", "eventbridge.json")
    assert (event.title, event.labels["InstanceId"]) == ("cpu", "i-1")
    assert event.dedup_key == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu"


def test_an_alarm_that_lacks_data_asks_for_nobody() -> None:
    assert cloudwatch.parse(kept("cloudwatch", "notification.insufficient-data.v1.json"), now=NOW) == []


def test_what_is_about_the_subscription_asks_for_nobody() -> None:
    for name in ("subscriptionconfirmation.v1.json", "unsubscribeconfirmation.v1.json"):
        assert cloudwatch.parse(kept("cloudwatch", name), now=NOW) == []


def test_any_other_message_of_the_topic_is_an_alert_of_its_own() -> None:
    text = one("cloudwatch", "notification.plain-text-no-subject.v2.json")
    assert (text.title, text.dedup_key) == ("disk full on db1 — 磁盘", "11111111-2222-3333-4444-000000000041")
    other = one("cloudwatch", "notification.json-not-an-alarm.v1.json")
    assert other.title == "custom"
    assert "hello: world" in other.body


def test_something_elses_payload_is_refused() -> None:
    assert recorded.refused("cloudwatch", {"hello": "world"}) == "Type"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {}
    assert recorded.differences("cloudwatch", "cloudwatch-sns", otherwise) == {}
