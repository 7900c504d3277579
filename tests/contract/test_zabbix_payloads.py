"""What Zabbix sends becomes the right alerts."""

from incidents.severity import Severity
from incidents.sources import zabbix
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_problem_is_acknowledged_and_recovers_under_its_events_id() -> None:
    problem, recovery = one("zabbix", "webhook.params.problem.json"), one("zabbix", "webhook.params.recovery.json")
    acknowledged = one("zabbix", "webhook.params.update-acknowledged.json")
    assert {problem.dedup_key, recovery.dedup_key, acknowledged.dedup_key} == {"12345"}
    assert problem.status is AlertStatus.FIRING
    assert recovery.status is AlertStatus.RESOLVED
    assert acknowledged.status is AlertStatus.ACKNOWLEDGED
    assert problem.title == "Disk space is critically low — 磁盘 🔥"
    assert problem.severity_hint is Severity.HIGH
    assert problem.service == "db1.example.test"
    assert problem.labels["scope"] == "capacity"
    assert problem.started_at is None  # the time is of the server's zone, which is not told
    assert problem.url == "http://zabbix.example.test/tr_events.php?triggerid=67890&eventid=12345"


def test_a_comment_does_not_fire_again_and_a_new_severity_does() -> None:
    update = kept("zabbix", "webhook.params.update-acknowledged.json") | {"EVENT.ACK.STATUS": "No"}
    assert zabbix.parse(update | {"EVENT.UPDATE.ACTION": "commented"}, now=NOW) == []
    (risen,) = zabbix.parse(update | {"EVENT.UPDATE.ACTION": "changed severity from High to Disaster"}, now=NOW)
    assert risen.status is AlertStatus.FIRING


def test_the_test_of_a_media_type_asks_for_nobody() -> None:
    unfilled = {name: "{" + name + "}" for name in kept("zabbix", "webhook.params.problem.json")}
    assert zabbix.parse(unfilled, now=NOW) == []


def test_a_script_of_ones_own_is_read_leniently() -> None:
    (alert,) = zabbix.parse({"subject": "Disk full"}, now=NOW)
    assert (alert.source, alert.title) == ("zabbix", "Disk full")
    assert recorded.refused("zabbix", {"x": 1}) == "title"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {}
    assert recorded.differences("zabbix", "zabbix", otherwise) == {}
