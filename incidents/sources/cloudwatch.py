"""CloudWatch's alarms as Amazon SNS delivers them over HTTPS, raw or in SNS' envelope, and EventBridge's form. Pure.

Whatever else is published to the topic is an alert as well: nobody publishes to a paging topic for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "cloudwatch"

ABOUT_SUBSCRIPTION = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
# INSUFFICIENT_DATA is neither: what an alarm said before holds.
STATES: Mapping[str, AlertStatus] = {"ALARM": AlertStatus.FIRING, "OK": AlertStatus.RESOLVED}
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_ARN_PARTS = 6


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """None for what is about the subscription itself, and for an alarm that lacks data."""
    del now  # nothing here depends on the time
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be an object: an SNS message or an alarm")
    kind = parts.text(payload, "Type")
    if kind in ABOUT_SUBSCRIPTION:
        return []
    if kind == "Notification" or "Message" in payload:
        message = payload.get("Message")
        content = message if isinstance(message, Mapping) else parts.object_of(message)
        found = _alarm(content, payload)
        return _published(content, payload) if found is None else found
    if (found := _alarm(payload, {})) is not None:
        return found
    if "detail-type" in payload:
        return _published(payload, {})
    raise PayloadRefusedError("Type", "is missing, and so is AlarmName: neither an SNS message nor an alarm")


def _alarm(content: Mapping[str, Any], envelope: Mapping[str, Any]) -> list[IncomingAlert] | None:
    """None if it is no alarm."""
    if parts.text(content, "detail-type") == "CloudWatch Alarm State Change":
        content = _as_sns_says(content)
    name = parts.text(content, "AlarmName")
    state = parts.text(content, "NewStateValue").upper()
    if not name or not state:
        return None
    status = STATES.get(state)
    if status is None:
        return []
    arn = parts.text(content, "AlarmArn")
    trigger = parts.object_of(content.get("Trigger"))
    dimensions = _dimensions(trigger.get("Dimensions"))
    title, body = reading.compose(
        name,
        parts.text(content, "AlarmDescription"),
        parts.text(content, "NewStateReason"),
        parts.section("Rule", content.get("AlarmRule")),
    )
    page = reading.link(_console(arn, name), "CloudWatch")
    key = arn or f"{parts.first(parts.text(envelope, 'TopicArn'), parts.text(content, 'Region'))}/{name}"
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(key),
            status=status,
            title=title,
            body=body,
            service=reading.name_of(trigger.get("Namespace")),
            component=reading.name_of(next(iter(dimensions.values()), "")),
            labels=reading.labels(
                parts.labels(
                    alertname=name,
                    namespace=trigger.get("Namespace"),
                    metric=trigger.get("MetricName"),
                    region=content.get("Region"),
                    account=content.get("AWSAccountId"),
                ),
                dimensions,
            ),
            links=reading.links(page),
            started_at=reading.moment(content.get("StateChangeTime")),
            url=page.href if page else "",
            raw=reading.received(content),
        )
    ]


def _as_sns_says(event: Mapping[str, Any]) -> dict[str, Any]:
    """EventBridge's form of an alarm in the words of an alarm's action."""
    metric = parts.at(event, "detail", "configuration", "metrics", 0, "metricStat", "metric")
    dimensions = parts.object_of(parts.at(metric, "dimensions"))
    return {
        "AlarmName": parts.text(event, "detail", "alarmName"),
        "AlarmArn": parts.text(event, "resources", 0),
        "AlarmDescription": parts.text(event, "detail", "configuration", "description"),
        "NewStateValue": parts.text(event, "detail", "state", "value"),
        "NewStateReason": parts.text(event, "detail", "state", "reason"),
        "StateChangeTime": parts.text(event, "detail", "state", "timestamp"),
        "Region": parts.text(event, "region"),
        "AWSAccountId": parts.text(event, "account"),
        "Trigger": {
            "Namespace": parts.text(metric, "namespace"),
            "MetricName": parts.text(metric, "name"),
            "Dimensions": [{"name": name, "value": value} for name, value in dimensions.items()],
        },
    }


def _published(content: Mapping[str, Any], envelope: Mapping[str, Any]) -> list[IncomingAlert]:
    """Any other message. Each is an alert of its own: nothing says which belong together."""
    message = reading.text_of(envelope.get("Message")).strip()
    topic = parts.text(envelope, "TopicArn").rpartition(":")[2]
    said = "" if content else message.partition("\n")[0]
    summary = parts.first(
        parts.text(envelope, "Subject"),
        said,
        parts.text(content, "detail-type"),
        f"A message from the topic {topic}" if topic else "A message without a subject",
    )
    title, body = reading.compose(summary, reading.readable(content) if content else message)
    key = parts.first(parts.text(envelope, "MessageId"), parts.text(content, "id"))
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(key or reading.digest([summary, message, content])),
            status=AlertStatus.FIRING,
            title=title,
            body=body,
            service=reading.name_of(parts.text(content, "source")),
            labels=parts.labels(topic=topic, region=content.get("region"), account=content.get("account")),
            started_at=reading.moment(parts.first(parts.text(envelope, "Timestamp"), parts.text(content, "time"))),
            raw=reading.received(content or envelope),
        )
    ]


def _dimensions(value: Any) -> dict[str, Any]:
    listed = value if isinstance(value, list) else []
    return {name: parts.at(each, "value") for each in listed if (name := parts.text(each, "name"))}


def _console(arn: str, name: str) -> str:
    """The alarm's page; empty without an ARN, which alone says which region's and which kind of AWS."""
    words = arn.split(":")
    if len(words) < _ARN_PARTS or words[1] not in _CONSOLES or not words[3]:
        return ""
    region = quote(words[3], safe="")
    return (
        f"https://{region}.{_CONSOLES[words[1]]}/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(name, safe='')}"
    )


def enveloped(body: bytes) -> Mapping[str, Any] | None:
    """SNS' envelope, if the body is one: what carries a signature. Read as the body itself will be, so that nothing
    passes for raw delivery here and for an envelope there."""
    try:
        found = reading.json_value(body)
    except PayloadRefusedError:
        return None
    return found if isinstance(found, Mapping) and "Type" in found else None
