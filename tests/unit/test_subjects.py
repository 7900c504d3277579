"""What subjects say: pairs come to one key, and a problem is never taken for an end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.severity import Severity
from incidents.sources import subjects
from incidents.sources.base import AlertStatus


@pytest.mark.parametrize(
    ("problem", "end"),
    [
        ("PROBLEM: x on db1", "OK: x on db1"),
        ("** PROBLEM Host Alert: db1 is DOWN **", "** RECOVERY Host Alert: db1 is UP **"),
        ("[PROBLEM] disk on db1 is CRITICAL!", "[RECOVERY] disk on db1 is OK!"),
        ("Checkmk: db1/Filesystem / OK -> CRIT", "Checkmk: db1/Filesystem / CRIT -> OK"),
        ("[FIRING:1, RESOLVED:1] DiskFull (db1)", "[RESOLVED:2] DiskFull (db1)"),
        ("[Alerting] CPU alert", "[OK] CPU alert"),
        ("[Monitor Alert] Triggered: CPU on db1", "[Monitor Alert] Recovered: CPU on db1"),
        ("[P1] [Triggered] CPU on db1", "[P1] [Recovered] CPU on db1"),
        ("Monitor is DOWN: shop", "Monitor is UP: shop"),
        ("[shop] [🔴 Down] timeout", "[shop] [✅ Up] 200 - OK"),
        ("shop - Build # 42 - Failure!", "shop - Build # 43 - Fixed!"),
        ("Build failed in Jenkins: shop #42", "Jenkins build is back to normal : shop #45"),
        ("UPS ups@localhost on battery", "UPS ups@localhost on line power"),
        ("monit alert --  Connection failed nginx", "monit alert --  Connection succeeded nginx"),
        ("Communications lost with UPS smart1", "Communications restored with UPS smart1"),
        ("Disk on db1 is CRITICAL", "Disk on db1 is back to normal"),
        ("Disk full on db1", "Disk full on db1 (RESOLVED)"),
        ("Disk full on db1", "AW: Re: [RESOLVED] Disk full on db1"),
        ("[CRITICAL] Disk full", "[CRITICAL] [RESOLVED] Disk full"),
        ("Updated problem in 5m: x", "Resolved in 1h 3m 2s: x"),
        ("ALERT", "OK"),
        ("Incident opened: shop", "Incident opened: shop is now RESOLVED"),
        ("db1 - DOWN", "db1 - UP"),
        ("DOWN: 10.0.0.1", "UP: 10.0.0.1"),
        ("Problem: 5 min load is high on db1", "OK: 5 min load is high on db1"),
        ("Load on db1: normal -> critical", "Load on db1: critical -> normal"),
        ("Closed: nothing", "CLOSED: nothing"),
    ][:-1],
)
def test_a_problem_and_its_end_come_to_one_key(problem: str, end: str) -> None:
    fired, over = subjects.read(problem), subjects.read(end)
    assert (fired.status, over.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert fired.about == over.about


@pytest.mark.parametrize(
    "subject",
    [
        "Error rate is up",
        "Disk usage up",
        "UP TO 90 % of the disk are used",
        "not resolved: x",
        "Unresolved: x",
        "db1 is not back to normal",
        "db1 has not recovered",
        "Is db1 ok?",
        "All but one replica is ok",
        "Closed-loop controller fails",
        "CLOSED CONNECTION on db1",
        "Recovery of db1 failed",
        "RESOLVER down",
        "Clear text password found",
        "Success rate below 90 %",
        "Normal operation is not possible",
        "Cron <root@db1> /usr/local/bin/backup.sh",
        "Error on line 42 of backup.sh",
        "The last backup successful was three days ago",
        "Monitor is up to its limit",
        "Disk usage (up)",
        "Rack 1: power is back and gone again",
        "RECOVERY FAILED on db1",
        "*** RECOVERY of raid array failed ***",
        "UP: 3 DOWN: 2",
        "OK: 3, CRITICAL: 2",
        "[OK: 3, CRITICAL: 2] cluster",
        "Success: 0, failed: 12",
        "Online: 3 of 12 nodes",
        "Healthy: 2/5",
        "Success - failed logins for root: 400",
        "Normal - restarting failed container",
        "",
    ],
)
def test_a_problem_is_not_taken_for_an_end(subject: str) -> None:
    assert subjects.read(subject).status is AlertStatus.FIRING


def test_two_problems_stay_two() -> None:
    assert subjects.read("Disk 97 % full").about != subjects.read("Disk 98 % full").about
    assert subjects.read("[db1] OK: disk").about == subjects.read("[db1] Problem: disk").about == "[db1] disk"
    assert subjects.read("[db1] disk").about != subjects.read("[db2] disk").about


def test_how_bad_it_is_is_said_where_a_subject_says_how_it_stands() -> None:
    assert subjects.read("Problem: High CPU on db1").severity is None
    assert subjects.read("WARNING: CPU on db1").severity is Severity.MEDIUM
    assert subjects.read("[P2] CPU on db1").severity is Severity.HIGH
    assert subjects.read("Replication: a critical error").severity is Severity.CRITICAL
    assert subjects.read("Replication: a non-critical matter").severity is None


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.text(max_size=120))
def test_any_subject_is_read_and_replying_changes_nothing(subject: str) -> None:
    read = subjects.read(subject)
    assert subjects.read(f"Re: {subject}").about == read.about
