"""What Nagios and Icinga send becomes the right alerts."""

from datetime import UTC, datetime

from incidents.severity import Severity
from incidents.sources import nagios
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_service_has_a_problem_is_acknowledged_and_recovers_under_one_key() -> None:
    names = ("problem", "acknowledgement", "recovery")
    problem, acknowledged, recovery = (one("nagios", f"nagios.service-{name}.json") for name in names)
    assert {problem.dedup_key, acknowledged.dedup_key, recovery.dedup_key} == {"db1;Disk /"}
    assert problem.status is AlertStatus.FIRING
    assert acknowledged.status is AlertStatus.ACKNOWLEDGED
    assert recovery.status is AlertStatus.RESOLVED
    assert problem.title == "Disk / is CRITICAL on db1"
    assert problem.body.endswith('DISK CRITICAL - 97% used "quoted" \\ back <b> — 磁盘\nsecond line of output')
    assert "ana: looking at it" in acknowledged.body
    assert problem.severity_hint is Severity.CRITICAL
    assert problem.service == "Disk /"
    assert [link.text for link in problem.links] == ["Notes"]
    assert problem.started_at == datetime(2026, 11, 20, 18, 47, 49, tzinfo=UTC)
    assert problem.raw["CONTACTPAGER"] == "(withheld)"  # the key of an integration, likely


def test_icinga_is_read_whichever_way_its_macros_are_nested() -> None:
    problem, recovery = one("nagios", "icinga2.service-problem.json"), one("nagios", "icinga2.service-recovery.json")
    nested = one("nagios", "icinga2.keep-shape.problem.json")
    assert {problem.dedup_key, recovery.dedup_key, nested.dedup_key} == {"db1!disk"}
    assert problem.title == nested.title == "Disk / is CRITICAL on db1"
    assert recovery.status is AlertStatus.RESOLVED


def test_pagerdutys_agent_for_nagios_is_read() -> None:
    alert = one("nagios", "pd-nagios.events-v1.trigger.json")
    assert alert.dedup_key == "event_source=service;host_name=db1;service_desc=Disk /"
    assert alert.title == "Disk / is CRITICAL on db1"


def test_a_host_is_read() -> None:
    (alert,) = nagios.parse(
        {"NAGIOS_NOTIFICATIONTYPE": "PROBLEM", "NAGIOS_HOSTNAME": "db1", "NAGIOS_HOSTSTATE": "DOWN"}, now=NOW
    )
    assert (alert.title, alert.dedup_key, alert.severity_hint) == ("Host db1 is DOWN", "db1", Severity.CRITICAL)


def test_downtimes_flapping_and_notes_ask_for_nobody() -> None:
    payload = kept("nagios", "nagios.service-problem.json")
    for kind in ("FLAPPINGSTART", "DOWNTIMEEND", "CUSTOM"):
        assert nagios.parse(payload | {"NOTIFICATIONTYPE": kind}, now=NOW) == []


def test_without_a_host_it_is_refused() -> None:
    assert recorded.refused("nagios", {"SERVICEDESC": "Disk /"}) == "HOSTNAME"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {
        # The index leaves the state out of the title; whoever is woken wants it.
        "pd-nagios.events-v1.trigger.json": [("firing", "Disk / is CRITICAL on db1")],
        "icinga2.keep-shape.problem.json": [("firing", "Disk / is CRITICAL on db1")],
        "icinga2.service-problem.json": [("firing", "Disk / is CRITICAL on db1")],
        "nagios.service-problem.json": [("firing", "Disk / is CRITICAL on db1")],
        "icinga2.service-recovery.json": [("resolved", "Disk / is OK on db1")],
        "nagios.service-recovery.json": [("resolved", "Disk / is OK on db1")],
        "nagios.service-acknowledgement.json": [("acknowledged", "Disk / is CRITICAL on db1")],
    }
    assert recorded.differences("nagios", "nagios-icinga", otherwise) == {}
