"""What Healthchecks.io sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.sources import healthchecks
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_check_goes_down_and_comes_up_under_its_code() -> None:
    down, up = one("healthchecks", "webhook.down.simple.json"), one("healthchecks", "webhook.up.simple.json")
    assert down.dedup_key == up.dedup_key == "e4d3268f-3ccf-4022-880e-ee82c5a07520"
    assert (down.title, down.status, up.status) == ("Simple", AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert down.started_at == datetime(2026, 11, 20, 18, 37, 31, tzinfo=UTC)
    assert "Exit status" not in down.body  # -1 says that it is unknown


def test_a_query_is_read_and_its_tags_are_labels() -> None:
    alert = one("healthchecks", "webhook.get.down.json")
    assert alert.title == 'Nightly backup — 磁盘 "db1" 🔥'
    assert (alert.labels["team"], alert.labels["db"]) == ("payments", "true")
    assert one("healthchecks", "webhook.get.down-missing-tag.json").title == "Simple"


def test_a_sentence_is_read() -> None:
    down = one("healthchecks", "webhook.plain-text.down.txt")
    assert (down.title, down.status) == ('Nightly backup — 磁盘 "db1" 🔥', AlertStatus.FIRING)
    (up,) = healthchecks.parse('Nightly backup — 磁盘 "db1" 🔥 is UP', now=NOW)
    assert (up.dedup_key, up.status) == (down.dedup_key, AlertStatus.RESOLVED)


def test_a_template_that_a_quotation_mark_broke_still_leads_to_its_check() -> None:
    code = "17758255-32a5-4933-9e9a-259659fa5139"
    broken = f'{{"dedup_key":"{code}","status":"up","title":"Backup "db1"","last_ping_body":"ok"}}'
    (alert,) = healthchecks.parse(broken, now=NOW)
    assert (alert.dedup_key, alert.status) == (code, AlertStatus.RESOLVED)
    assert recorded.refused("healthchecks", '{"status":') == ""


def test_a_test_notification_asks_for_nobody() -> None:
    payload = kept("healthchecks", "webhook.down.simple.json") | {"name": "TEST"}
    assert healthchecks.parse(payload, now=NOW) == []


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {}
    assert recorded.differences("healthchecks", "healthchecks-io", otherwise) == {}
