"""What tocsin.yaml declares of responders, schedules, policies and the last resort."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from config import declaration
from config.declaration import DeclarationError, Problems
from escalation import declared
from escalation.declared import Declared
from escalation.declared_people import PageStep
from escalation.oncall.hours import Hours, Window
from escalation.oncall.schedules import Rotation, Schedule
from escalation.policies import Announcement, Level, Policy, Target

# As a newcomer would write it: one of everything.
TEAM = """\
responders:
  ana:
    name: Ana Lima
    email: Ana@Example.org
    timezone: Europe/Lisbon
    roles: [responder, manager]
    slack: U0ANA
    phone: "+351 910 000 001"
    page_by:
      high: [{after: 3m, by: voice}, {after: 0s, by: slack}, {after: 1m, by: sms}]
      low: [{after: 0s, by: slack}]
  bo:
    name: Bo Chen
    email: bo@example.org
schedules:
  primary:
    timezone: Europe/Lisbon
    rotations:
      - {members: [ana, bo], starts: "2026-11-02T09:00", turn: 1w}
policies:
  standard:
    repeat: 2
    ack_timeout: 20m
    levels:
      - {level: 1, after: 0m, page: ["schedule:primary"], announce: ["slack:#incidents"]}
      - {level: 2, after: 5m, page: ["role:manager", "responder:bo", "responder:bo"]}
last_resort: ["responder:ana"]
"""


def read(text: str) -> Declared:
    document = declaration.read_text(text, env={}, file_name="tocsin.yaml")
    problems = Problems(document)
    found = declared.read_declared(document, problems)
    document.refuse_unread(problems)
    problems.raise_if_any()
    return found


def refusals(text: str) -> list[str]:
    with pytest.raises(DeclarationError) as refused:
        read(text)
    return [str(problem) for problem in refused.value.problems]


def changed(old: str, new: str) -> str:
    assert TEAM.count(old) == 1, f"{old!r} stands {TEAM.count(old)} times in the team"
    return TEAM.replace(old, new)


# What is read


def test_a_responder_is_read_with_addresses_in_one_form_and_steps_by_time() -> None:
    ana = read(TEAM).responders[0]
    assert (ana.key, ana.name, ana.timezone, ana.roles) == (
        "ana",
        "Ana Lima",
        "Europe/Lisbon",
        ("responder", "manager"),
    )
    assert (ana.email, ana.slack, ana.phone) == ("ana@example.org", "U0ANA", "+351910000001")
    assert ana.page_by == {
        "high": (PageStep(0, "slack"), PageStep(60, "sms"), PageStep(180, "voice")),
        "low": (PageStep(0, "slack"),),
    }
    assert ana.ways == {
        "slack": "U0ANA",
        "sms": "+351910000001",
        "voice": "+351910000001",
        "email": "ana@example.org",
    }
    assert ana.page_by["high"][1].to_json() == {"after_seconds": 60, "by": "sms"}


def test_schedules_policies_and_the_last_resort_are_read() -> None:
    found = read(TEAM)
    rotation = Rotation(("ana", "bo"), datetime(2026, 11, 2, 9, 0), 1, "w")
    assert found.schedules == (Schedule("primary", "Europe/Lisbon", (rotation,)),)
    first = Level(1, 0, (Target("schedule", "primary"),), (Announcement("slack", "#incidents"),))
    second = Level(2, 300, (Target("role", "manager"), Target("responder", "bo")))
    assert found.policies == (Policy("standard", (first, second), repeat=2, ack_timeout_seconds=1_200),)
    assert found.last_resort == (Target("responder", "ana"),)


def test_a_responder_has_the_role_responder_and_lives_in_utc_unless_said_otherwise() -> None:
    bo = read(TEAM).responders[1]
    assert (bo.roles, bo.timezone, bo.slack, bo.phone) == (("responder",), "UTC", None, None)


def test_a_policy_repeats_once_and_waits_half_an_hour_unless_said_otherwise() -> None:
    policy = read(changed("    repeat: 2\n    ack_timeout: 20m\n", "")).policies[0]
    assert (policy.repeat, policy.ack_timeout_seconds, policy.repeat_after_seconds) == (1, 1_800, 300)
    policy = read(changed("    repeat: 2\n", "    repeat: 0\n    repeat_after: 90s\n")).policies[0]
    assert (policy.repeat, policy.repeat_after_seconds) == (0, 90)


HOURS = """\
hours:
  office: {timezone: Europe/Lisbon, days: [mon, tue, fri], from: "09:00", to: "18:00", holidays: pt}
"""


def test_hours_are_read_and_kept_whole_in_the_levels_that_refer_to_them() -> None:
    office = Hours("office", "Europe/Lisbon", Window(time(9), time(18)), (0, 1, 4), "PT")
    text = changed("after: 5m, ", "after: 5m, during: office, round_robin: true, runbook: recovery, ") + HOURS
    found = read(text.replace("ack_timeout: 20m", "ack_timeout: 0s\n    unack_after: 2m\n    acknowledgements: 2"))
    assert found.hours == (office,)
    second = found.policies[0].levels[1]
    assert (second.during, second.outside, second.round_robin, second.runbook) == (office, None, True, "recovery")
    policy = found.policies[0]
    assert (policy.ack_timeout_seconds, policy.unack_after_seconds, policy.acknowledgements) == (0, 120, 2)
    assert Policy.from_json(policy.to_json()) == policy


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("mon,", "mo,", 'line 29, hours.office.days[0]: "mo" is not a day; write mon, tue, wed, thu, fri, sat, sun'),
        ("[mon, tue, fri]", "[]", "line 29, hours.office.days: is empty"),
        ("holidays: pt", "holidays: xx", 'line 29, hours.office.holidays: no public holidays are known for "XX"'),
        ("holidays: pt", "holidays: de-xx", 'line 29, hours.office.holidays: DE has no region "XX"'),
        ('from: "09:00", to: "18:00", ', "", "line 29, hours.office.from: is missing"),
        ("timezone: Europe/Lisbon, d", "d", "line 29, hours.office.timezone: is missing"),
    ],
)
def test_hours_that_are_none_are_refused_and_nobody_who_refers_to_them(old: str, new: str, problem: str) -> None:
    text = changed("after: 5m, ", "after: 5m, during: office, ") + HOURS.replace(old, new)
    assert [found[: len(problem)] for found in refusals(text)] == [problem]


def test_a_step_may_have_a_time_of_day_and_a_person_quiet_hours() -> None:
    night = '{after: 3m, by: voice, from: "22:00", to: "07:00"}'
    text = changed("{after: 3m, by: voice}", night).replace(
        "slack: U0ANA", 'slack: U0ANA\n    quiet: {from: "21:30", to: "24:00"}'
    )
    ana = read(text).responders[0]
    assert ana.page_by["high"][2] == PageStep(180, "voice", Window(time(22), time(7)))
    assert ana.page_by["high"][2].to_json() == {"after_seconds": 180, "by": "voice", "from": "22:00", "to": "07:00"}
    assert ana.quiet == Window(time(21, 30), time(0))


def test_levels_may_be_listed_in_any_order() -> None:
    policy = read(changed("{level: 1, after: 0m", "{level: 3, after: 1h")).policies[0]
    assert [(level.level, level.after_seconds) for level in policy.levels] == [(2, 300), (3, 3_600)]


@pytest.mark.parametrize(
    ("addresses", "high", "low"),
    [
        (
            "slack: U0BO\n    phone: '+15005550102'\n    email: bo@example.org",
            ["0 slack", "60 sms", "180 voice", "300 email"],
            ["0 slack"],
        ),
        ("phone: '+15005550102'\n    email: bo@example.org", ["0 sms", "120 voice", "240 email"], ["0 email"]),
        ("phone: '+15005550102'", ["0 sms", "120 voice"], ["0 sms"]),
        ("email: bo@example.org", ["0 email"], ["0 email"]),
        ("slack: U0BO", ["0 slack"], ["0 slack"]),
    ],
)
def test_without_page_by_every_way_is_used_from_the_first_second(
    addresses: str, high: list[str], low: list[str]
) -> None:
    bo = read(changed("email: bo@example.org", addresses)).responders[1]
    assert [f"{step.after_seconds} {step.by}" for step in bo.page_by["high"]] == high
    assert [f"{step.after_seconds} {step.by}" for step in bo.page_by["low"]] == low


def test_an_urgency_left_out_of_page_by_gets_its_default() -> None:
    ana = read(changed("      low: [{after: 0s, by: slack}]\n", "")).responders[0]
    assert ana.page_by["low"] == (PageStep(0, "slack"),)
    assert len(ana.page_by["high"]) == 3


@pytest.mark.parametrize("number", ["+15005550101", "+351910000001", "+44 20 7946 0958", "+1 (500) 555-0006"])
def test_numbers_kept_for_tests_are_numbers(number: str) -> None:
    assert read(changed("+351 910 000 001", number)).responders[0].phone == "+" + "".join(filter(str.isdigit, number))


def test_an_unquoted_number_keeps_its_plus() -> None:
    assert read(changed('"+351 910 000 001"', "+351910000001")).responders[0].phone == "+351910000001"


def test_the_last_resort_may_be_a_role_that_somebody_has() -> None:
    assert read(changed('last_resort: ["responder:ana"]', 'last_resort: ["role:manager"]')).last_resort == (
        Target("role", "manager"),
    )


# What is refused


REACH = "nothing stands behind it"
NO_LEVELS = '    levels:\n      - {level: 1, after: 0m, page: ["schedule:primary"], announce: ["slack:#incidents"]}\n'
SECOND = '      - {level: 2, after: 5m, page: ["role:manager", "responder:bo", "responder:bo"]}\n'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: Ana Lima", "name:", "line 3, responders.ana.name: is missing"),
        ("  standard:\n", "  Our policy:\n", "line 21, policies.Our policy: a name has up to 64 lower-case letters"),
        ("  standard:\n", f"  {'x' * 65}:\n", f"line 21, policies.{'x' * 65}: a name has up to 64 lower-case letters"),
        ("Ana@Example.org", "ana at example", 'line 4, responders.ana.email: "ana at example" is not an e-mail address'),
        ("Europe/Lisbon\n    roles", "Europe/Lisboa\n    roles", 'line 5, responders.ana.timezone: there is no time zone "Europe/Lisboa"; did you mean "Europe/Lisbon"?'),
        ("Europe/Lisbon\n    rot", "localtime\n    rot", 'line 17, schedules.primary.timezone: there is no time zone "localtime"'),
        ("Europe/Lisbon\n    rot", "Europe\n    rot", 'line 17, schedules.primary.timezone: there is no time zone "Europe"'),
        ("    timezone: Europe/Lisbon\n    rot", "    rot", "line 16, schedules.primary.timezone: is missing"),
        ("[responder, manager]", "[responder, manger]", 'line 6, responders.ana.roles[1]: no role "manger"; did you mean "manager"?'),
        ("[responder, manager]", "[]", "line 6, responders.ana.roles: is empty"),
        ("U0ANA", "'@ana'", 'line 7, responders.ana.slack: "@ana" is not a Slack member id'),
        ("+351 910 000 001", "910 000 001", 'line 8, responders.ana.phone: "910 000 001" is not a phone number'),
        ("+351 910 000 001", "+3519", 'line 8, responders.ana.phone: "+3519" is not a phone number'),
        ("+351 910 000 001", "+999 123 456 789", "line 8, responders.ana.phone: "),
        ("+351 910 000 001", "+1 800 FLOWERS", "line 8, responders.ana.phone: "),
        ("+351 910 000 001", "+15005550101 ext 5", "line 8, responders.ana.phone: "),
        ("by: voice", "by: pigeon", 'line 10, responders.ana.page_by.high[0].by: no such value "pigeon"; known here: '),
        ("after: 3m", "after: 3", 'line 10, responders.ana.page_by.high[0].after: "3" is not a duration'),
        ("after: 3m", "after: 2d", "line 10, responders.ana.page_by.high[0].after: must be a duration from 0s to 1d"),
        ("{after: 3m, by: voice}", "{after: 1m, by: sms}", "line 10, responders.ana.page_by.high[2].by: sms after 1m is there twice"),
        ("low: [{after: 0s, by: slack}]", "low: []", "line 11, responders.ana.page_by.low: is empty"),
        ("bo@example.org", "bo@example.org\n    page_by: {high: [{after: 0s, by: sms}]}", "line 15, responders.bo.page_by.high[0].by: bo has no phone to be reached by sms"),
        ("    email: bo@example.org\n", "", "line 12, responders.bo.email: bo cannot be reached"),
        ("bo@example.org", "ANA@example.org", "line 14, responders.bo.email: ana@example.org is already ana's"),
        ("    email: bo@example.org", "    slack: U0ANA", "line 14, responders.bo.slack: U0ANA is already ana's"),
        ("    email: bo@example.org", "    phone: '+351910000001'", "line 14, responders.bo.phone: +351910000001 is already ana's"),
        ("[ana, bo]", "[ana, boo]", 'line 19, schedules.primary.rotations[0].members[1]: no responder "boo" is declared; did you mean "bo"?'),
        ("[ana, bo]", "[]", "line 19, schedules.primary.rotations[0].members: is empty"),
        ("2026-11-02T09:00", "next monday", 'line 19, schedules.primary.rotations[0].starts: "next monday" is not a local time'),
        ("2026-11-02T09:00", "2026-11-02T09:00Z", "line 19, schedules.primary.rotations[0].starts: is a local time in the schedule's zone"),
        ("2026-11-02T09:00", "0001-01-01", "line 19, schedules.primary.rotations[0].starts: must lie in the years 1970 to 2999"),
        ("turn: 1w", "turn: 0w", "line 19, schedules.primary.rotations[0].turn: a turn is a number of h, d, w or mo (hours, days"),
        ("turn: 1w", "turn: 30m", "line 19, schedules.primary.rotations[0].turn: a turn is a number of h, d, w or mo (hours, days"),
        ("turn: 1w", "turn: 53w", "line 19, schedules.primary.rotations[0].turn: a turn is a number of h, d, w or mo (hours, days"),
        ("turn: 1w", "turn: 1d12h", "line 19, schedules.primary.rotations[0].turn: \"1d12h\" is not one number and one unit"),
        (", turn: 1w", "", "line 19, schedules.primary.rotations[0].turn: is missing"),
        (NO_LEVELS + SECOND, "    levels: []\n", "line 24, policies.standard.levels: is empty"),
        (NO_LEVELS + SECOND, "", "line 21, policies.standard.levels: is missing"),
        ("level: 2", "level: 5", "line 26, policies.standard.levels[1].level: must be a whole number from 1 to 4"),
        ("level: 2", "level: 1", "line 26, policies.standard.levels[1].level: level 1 is there twice"),
        ("after: 5m", "after: 0s", "line 26, policies.standard.levels[1].after: level 2 must start later than level 1, which does at 0s"),
        ("after: 5m, ", "", "line 26, policies.standard.levels[1].after: is missing"),
        ("schedule:primary", "schedule:primry", 'line 25, policies.standard.levels[0].page[0]: no schedule "primry" is declared; did you mean "primary"?'),
        ("role:manager", "role:boss", 'line 26, policies.standard.levels[1].page[0]: there is no role "boss"'),
        ("role:manager", "manager", 'line 26, policies.standard.levels[1].page[0]: "manager" is not a target'),
        ('"responder:bo", "responder:bo"', '"responder:cy"', 'line 26, policies.standard.levels[1].page[1]: no responder "cy" is declared'),
        ("slack:#incidents", "slack:incidents", 'line 25, policies.standard.levels[0].announce[0]: "incidents" is not a Slack channel'),
        (SECOND, "      - {level: 2, after: 5m}\n", "line 26, policies.standard.levels[1].page: this level pages nobody"),
        (NO_LEVELS + SECOND, "    levels: [{level: 1, after: 0s, announce: ['slack:#x']}]\n", "line 24, policies.standard.levels: no level pages anybody"),
        ("repeat: 2", "repeat: -1", "line 22, policies.standard.repeat: must be a whole number from 0 to 100"),
        ("ack_timeout: 20m", "unack_after: 0s", "line 23, policies.standard.unack_after: must be a duration from 1s to "),
        ("ack_timeout: 20m", "acknowledgements: 0", "line 23, policies.standard.acknowledgements: must be a whole number from 1 to 10"),
        ("after: 5m, ", "after: 5m, during: office, ", 'line 26, policies.standard.levels[1].during: no hours "office" are declared; '),
        ("{after: 3m, by: voice}", '{after: 3m, by: voice, from: "22:00"}', "line 10, responders.ana.page_by.high[0].to: is missing"),
        ("{after: 3m, by: voice}", '{after: 3m, by: voice, from: "22:00", to: "7"}', 'line 10, responders.ana.page_by.high[0].to: "7" is not a time of day'),
        ("    roles: [responder, manager]", '    quiet: {from: "07:00", to: "07:00"}', "line 6, responders.ana.quiet: would never end"),
        ("    roles: [responder, manager]", "    quiet: {}", "line 6, responders.ana.quiet: has a beginning and an end"),
        ("ack_timeout: 20m", "ack_timout: 20m", 'line 23, policies.standard.ack_timout: unknown key; did you mean "ack_timeout"?'),
        ('last_resort: ["responder:ana"]\n', "", "line 1, last_resort: is missing"),
        ('["responder:ana"]', "[]", "line 27, last_resort: is empty"),
        ('["responder:ana"]', '["responder:zoe"]', 'line 27, last_resort[0]: no responder "zoe" is declared; known here: ana, bo'),
        ('["responder:ana"]', '["role:keeper"]', f"line 27, last_resort: must name a responder, or a role that somebody has: {REACH}"),
        ('["responder:ana"]', '["schedule:primary"]', f"line 27, last_resort: must name a responder, or a role that somebody has: {REACH}"),
    ],
)  # fmt: skip
def test_what_would_keep_somebody_asleep_is_refused(old: str, new: str, problem: str) -> None:
    found = refusals(changed(old, new))
    assert len(found) == 1, found
    assert found[0].startswith(problem)


def test_without_responders_there_is_nobody_to_wake() -> None:
    assert refusals("policies: {}\nlast_resort: ['role:manager']\n") == [
        "line 1, responders: is missing: without responders nobody can be woken"
    ]
    assert refusals("responders: 5\nlast_resort: ['role:manager']\n") == [
        "line 1, responders: must hold names, and keys and values under each"
    ]


def test_problems_in_every_section_are_reported_at_once() -> None:
    text = TEAM
    for old, new in [("U0ANA", "ana"), ("turn: 1w", "turn: 0w"), ("level: 2", "level: 9"), ("responder:ana", "ana")]:
        text = text.replace(old, new)
    assert [problem.split(":")[0] for problem in refusals(text)] == [
        "line 7, responders.ana.slack",
        "line 19, schedules.primary.rotations[0].turn",
        "line 26, policies.standard.levels[1].level",
        "line 27, last_resort[0]",
    ]


def test_somebody_with_a_problem_of_their_own_is_not_called_unknown_elsewhere() -> None:
    assert [problem.split(":")[0] for problem in refusals(changed("name: Bo Chen", "name: [Bo]"))] == [
        "line 13, responders.bo.name"
    ]
