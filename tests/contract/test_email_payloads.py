"""What monitoring systems write in letters becomes the right alerts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incidents.severity import Severity
from incidents.sources import email
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError
from tests.contract.recorded import KEPT, NOW

FOLDER = KEPT / "email"
KEY = "e1" * 16  # stands in the addresses of some of them


def letter(name: str) -> bytes:
    return (FOLDER / f"{name}.eml").read_bytes()


def one(name: str) -> IncomingAlert:
    (alert,) = email.parse(letter(name), now=NOW)
    return alert


@pytest.mark.parametrize(
    ("problem", "end", "key"),
    [
        ("zabbix.problem", "zabbix.recovery", "high cpu utilization (over 90% for 5m) on köln-db1"),
        ("nagios.problem", "nagios.recovery", "db1/disk /"),
        ("ups.power-failure", "ups.power-is-back", "rack1 ups smart1500 power failure"),
        ("jenkins.failure", "jenkins.back-to-normal", "jenkins shop » main"),
        ("grafana.firing", "grafana.resolved", "diskfull db1 (ext4 /)"),
        ("healthchecks.down", "healthchecks.up", "backup-db"),
        ("pingdom.down-html-only", "pingdom.up-html-only", "shop (www.example.org)"),
        ("cloudwatch.alarm", "cloudwatch.ok", '"cpu-high" in eu (ireland)'),
    ],
)
def test_the_letter_of_an_end_comes_to_the_key_of_the_problems(problem: str, end: str, key: str) -> None:
    fired, over = one(problem), one(end)
    assert (fired.status, fired.dedup_key) == (AlertStatus.FIRING, key)
    assert (over.status, over.dedup_key) == (AlertStatus.RESOLVED, key)


def test_zabbix_says_how_bad_it_is_in_base64() -> None:
    alert = one("zabbix.problem")
    assert alert.title == "Problem: High CPU utilization (over 90% for 5m) on Köln-db1"
    assert alert.severity_hint is Severity.CRITICAL
    assert alert.url == "https://zabbix.example.org/tr_events.php?triggerid=23&eventid=4711"
    assert alert.started_at == datetime(2026, 11, 20, 10, 59, 57, tzinfo=UTC)
    assert alert.labels == {"from": "zabbix@zabbix.example.org"}


def test_nagios_says_that_somebody_has_it_and_of_a_downtime_nothing() -> None:
    assert one("nagios.acknowledgement").status is AlertStatus.ACKNOWLEDGED
    assert one("nagios.acknowledgement").dedup_key == one("nagios.problem").dedup_key
    assert email.parse(letter("nagios.downtime"), now=NOW) == []


def test_cron_writes_by_itself_and_is_heard() -> None:
    alert = one("cron.failure")
    assert alert.status is AlertStatus.FIRING
    assert alert.body.startswith("pg_dump: error")
    assert "Connexion refusée" in alert.body


def test_a_letter_of_html_alone_is_read_as_a_person_sees_it() -> None:
    alert = one("pingdom.down-html-only")
    assert alert.body.splitlines() == [
        "PingdomAlert DOWN: Shop (www.example.org) is down since 20/11/2026 10:58:31.",
        "",
        "Reason: HTTP Error 503 — Service Unavailable",
        "",
        "View check (https://my.pingdom.com/reports/uptime#check=1)",
    ]
    assert [link.href for link in alert.links] == ["https://my.pingdom.com/reports/uptime#check=1"]


def test_charsets_of_every_kind_are_read_and_one_that_nobody_knows_is_noted() -> None:
    assert (one("charset.koi8-r").title, one("charset.koi8-r").body) == ("Диск полон", "На сервере db1 нет места")
    assert one("charset.iso-2022-jp-folded").title == "ディスク障害"
    raw = one("charset.unknown-and-raw-latin-1")
    assert raw.title == "Störung: Kühlung in Halle 3"
    assert raw.body.startswith("Die Kühlung ist ausgefallen: 31 °C")
    assert "x-unknown" in raw.body


def test_the_richest_part_that_can_be_read_is_and_attachments_are_named() -> None:
    alert = one("multipart.with-attachments")
    assert alert.body.startswith("The backup of db1 failed.\nSee the log.")
    assert "backup.log (text/plain, 10 bytes), köln.gz (application/gzip, 30 bytes)" in alert.body
    assert alert.severity_hint is Severity.HIGH


def test_a_letter_within_a_letter_is_read_and_is_about_the_same() -> None:
    alert = one("forwarded.message-rfc822")
    assert alert.dedup_key == one("grafana.firing").dedup_key
    assert alert.body.startswith("Somebody should look at this.\n\n---------- Forwarded message")
    assert alert.body.endswith("/ of db1 is 97 % full")


def test_without_a_subject_the_first_line_is_it_and_without_anything_it_still_is_an_alert() -> None:
    assert one("plain.no-subject-no-message-id").title == "Tape library: drive 3 does not answer"
    assert one("plain.nothing-but-an-address").title.startswith("A letter without subject or text")


def test_what_is_broken_is_noted_and_nothing_of_it_lost() -> None:
    alert = one("broken.boundary-and-base64")
    assert "the disk of db2 is full" in alert.body
    assert "its parts could not be told apart" in alert.body


@pytest.mark.parametrize("name", ["bounce.delivery-status", "absence.auto-replied"])
def test_reports_of_deliveries_and_absence_notices_are_refused(name: str) -> None:
    with pytest.raises(PayloadRefusedError, match="no alert"):
        email.parse(letter(name), now=NOW)


def test_what_stands_behind_the_plus_is_the_key_whatever_its_case() -> None:
    keys = [
        email.parse({"letter": letter(name), "tag": tag}, now=NOW)[0].dedup_key
        for name, tag in (("nagios.problem", "Disk"), ("nagios.recovery", "disk"))
    ]
    assert keys == ["disk", "disk"]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.eml")), ids=lambda file: str(file.stem))
def test_no_address_that_holds_a_key_is_kept(file: str) -> None:
    data = (FOLDER / file).read_bytes()
    assert KEY not in repr(email.shown(data))
