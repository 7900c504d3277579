"""What tocsin.yaml declares of schedules beyond plain turns, and of time off; and what is refused, by line and field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config import declaration
from config.declaration import DeclarationError, Problems
from escalation import declared, declared_time_off
from escalation.declared import Declared
from escalation.declared_names import NOTHING_BESIDE, Beside
from escalation.declared_time_off import TimeOff
from escalation.oncall.restrictions import Restriction
from escalation.oncall.schedules import Rotation, as_written

STARTS = datetime(2026, 11, 2, 9, 0)
TEAM = """\
responders:
  ana: {name: Ana Lima, email: ana@example.org, timezone: Europe/Lisbon, holidays: pt, OFF}
  bo: {name: Bo Chen, email: bo@example.org}
  cy: {name: Cy Adler, email: cy@example.org}
schedules:
  primary:
    timezone: Europe/Lisbon
    rotations:
      - {members: [ana, bo], starts: "2026-11-02T09:00", turn: 1mo}
      - ROTATION
last_resort: ["responder:ana"]
"""
PLAIN = 'members: [ana, bo], starts: "2026-11-02T09:00", turn: 1d'


def team(rotation: str = PLAIN, off: str = "") -> str:
    rest = f"time_off: [{off}]" if off else ""
    return TEAM.replace("ROTATION", f"{{{rotation}}}").replace(", OFF", f", {rest}" if rest else "")


def read(text: str, beside: Beside = NOTHING_BESIDE) -> Declared:
    document = declaration.read_text(text, env={}, file_name="tocsin.yaml")
    problems = Problems(document)
    found = declared.read_declared(document, problems, beside)
    document.refuse_unread(problems)
    problems.raise_if_any()
    return found


def refusals(text: str, beside: Beside = NOTHING_BESIDE) -> list[str]:
    with pytest.raises(DeclarationError) as refused:
        read(text, beside)
    return [str(problem) for problem in refused.value.problems]


def rotation(text: str) -> Rotation:
    return read(team(text)).schedules[0].rotations[1]


def test_turns_of_months_are_read() -> None:
    assert read(team()).schedules[0].rotations[0] == Rotation(("ana", "bo"), STARTS, 1, "mo")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("layer: 2, at_once: 2", Rotation(("ana", "bo"), STARTS, 1, "d", layer=2, at_once=2)),
        ("shadow: true", Rotation(("ana", "bo"), STARTS, 1, "d", shadow=True)),
        (
            'only: [{days: [tue, Mon], from: "22:00", to: "06:00"}, {days: [sat]}, {from: "12:00", to: "24:00"}]',
            Rotation(
                ("ana", "bo"), STARTS, 1, "d",
                only=(Restriction((0, 1), 1320, 360), Restriction((5,)), Restriction(from_minutes=720)),
            ),
        ),
    ],
)  # fmt: skip
def test_what_a_rotation_says_beside_its_turns_is_read(said: str, found: Rotation) -> None:
    assert rotation(f"{PLAIN}, {said}") == found


def test_a_calendar_is_read_as_a_rotation() -> None:
    url = "https://calendar.example.org/oncall.ics"
    assert rotation(f'calendar: "{url}", layer: 2') == Rotation((), calendar=url, layer=2)


def test_what_was_read_is_written_as_it_was_read() -> None:
    said = '{members: [ana, bo], starts: "2026-11-02T09:00", turn: 1d, layer: 2, only: [{days: [sat]}], at_once: 2}'
    assert as_written(read(team(said[1:-1])).schedules[0])["rotations"][1] == {
        "members": ["ana", "bo"],
        "starts": "2026-11-02T09:00",
        "turn": "1d",
        "layer": 2,
        "only": [{"days": ["sat"]}],
        "at_once": 2,
    }


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (f"{PLAIN}, layer: 0", "layer: must be a whole number from 1 to 9"),
        (f"{PLAIN}, layer: 2, shadow: true", "layer: says nothing of a shadow"),
        (f"{PLAIN}, at_once: 0", "at_once: must be a whole number from 1"),
        (f"{PLAIN}, at_once: 3", "at_once: between 1 and all 2 members are on call at once, not 3"),
        (PLAIN.replace("[ana, bo]", "[ana, bo, ana]") + ", at_once: 2", "at_once: where several are on call at once, each"),
        (f"{PLAIN}, only: []", "only: is empty"),
        (f"{PLAIN}, only: {{days: [mon]}}", "only: must be a list"),
        (f"{PLAIN}, only: [{{}}]", "only[0]: restricts nothing"),
        (f"{PLAIN}, only: [{{days: []}}]", "only[0].days: is empty"),
        (f"{PLAIN}, only: [{{days: [monday]}}]", 'only[0].days[0]: "monday" is not a day; write mon, tue'),
        (f"{PLAIN}, only: [{{days: [mon], from: '09:00'}}]", "only[0].to: is missing"),
        (f"{PLAIN}, only: [{{from: '9', to: '17:00'}}]", 'only[0].from: "9" is not a time of day'),
        (f"{PLAIN}, only: [{{from: '09:00', to: '25:00'}}]", 'only[0].to: "25:00" is not a time of day'),
        (f"{PLAIN}, only: [{{from: '24:00', to: '06:00'}}]", "only[0].from: begins when the day is over"),
        (f"{PLAIN}, only: [{{from: '09:00', to: '09:00'}}]", "only[0].to: is when it begins, which leaves nothing"),
        (f"{PLAIN}, only: [{{days: [mon], until: x}}]", "only[0].until: unknown key"),
        (f"{PLAIN}, shadows: true", 'shadows: unknown key; did you mean "shadow"?'),
        (PLAIN.replace("1d", "0d"), "turn: a turn is a number of h, d, w or mo"),
        (PLAIN.replace("1d", "13mo"), "turn: a turn is a number of h, d, w or mo"),
        (PLAIN.replace("2026-11-02T09:00", "2026-03-29T01:30"), "starts: is skipped in Europe/Lisbon, where the clocks change then; write 2026-03-29T02:30"),
        (PLAIN.replace("2026-11-02T09:00", "2026-10-25T01:30"), "starts: comes twice in Europe/Lisbon, where the clocks change then; write 2026-10-25T02:30"),
        (PLAIN.replace("2026-11-02T09:00", "2026-10-25T01:30+00:00"), "starts: is a local time in the schedule's zone: leave the offset out"),
        ('calendar: "https://calendar.example.org/a", members: [ana]', "members: does not go with a calendar"),
        ('calendar: "https://calendar.example.org/a", turn: 1w', "turn: does not go with a calendar"),
        ('calendar: "webcal://calendar.example.org/secret"', "calendar: is not an address that begins with https://"),
    ],
)  # fmt: skip
def test_a_rotation_that_would_leave_somebody_unsure_is_refused(said: str, problem: str) -> None:
    (found,) = refusals(team(said))
    assert found.startswith(f"line 10, schedules.primary.rotations[1].{problem}")
    assert "secret" not in found


def test_a_schedule_of_shadows_alone_is_refused() -> None:
    only = '      - {members: [ana, bo], starts: "2026-11-02T09:00", turn: 1mo}\n'
    (found,) = refusals(team(f"{PLAIN}, shadow: true").replace(only, ""))
    assert found == ("line 8, schedules.primary.rotations: are all shadows, who are not paged: nobody would be on call")


def test_a_usergroup_is_named_by_its_id() -> None:
    with_group = team().replace(
        "    timezone: Europe/Lisbon\n", "    timezone: Europe/Lisbon\n    slack_usergroup: GROUP\n"
    )
    assert read(with_group.replace("GROUP", "S0123ABC")).schedules[0].slack_usergroup == "S0123ABC"
    (found,) = refusals(with_group.replace("GROUP", '"@oncall"'))
    assert found.startswith('line 8, schedules.primary.slack_usergroup: "@oncall" is not a user group\'s id')


TWO = team().replace(
    "last_resort:",
    """\
  secondary:
    timezone: UTC
    slack_usergroup: S0123ABC
    rotations: [{members: [bo], starts: "2026-11-02T09:00", turn: 1w}]
last_resort:""",
)


def test_two_schedules_do_not_share_a_usergroup() -> None:
    both = TWO.replace("    timezone: Europe/Lisbon\n", "    timezone: Europe/Lisbon\n    slack_usergroup: S0123ABC\n")
    (found,) = refusals(both)
    assert "schedules.secondary.slack_usergroup: is kept in step with the schedule primary already" in found
    assert read(both.replace("S0123ABC", "S0999XYZ", 1)).schedules[1].slack_usergroup == "S0123ABC"


def test_a_usergroup_of_peoples_schedule_is_left_to_it_unless_the_file_takes_the_schedule_over() -> None:
    (found,) = refusals(TWO, Beside(usergroups=(("S0123ABC", "nights"),)))
    assert "secondary.slack_usergroup: is kept in step with the schedule nights already" in found
    assert read(TWO, Beside(usergroups=(("S0123ABC", "secondary"),))).schedules[1].slack_usergroup == "S0123ABC"


# Time off


def test_holidays_name_a_place() -> None:
    assert [person.holidays for person in read(team()).responders] == ["PT", "", ""]


def test_time_off_is_read_in_dates_or_local_times_of_the_persons_zone() -> None:
    off = '{from: "2026-12-20", to: "2027-01-03", reason: Holidays}, {from: 2026-07-01T12:00, to: "2026-07-02"}'
    found = read(team(off=off)).responders[0].time_off
    assert found == (
        TimeOff(datetime(2026, 7, 1, 11, 0, tzinfo=UTC), datetime(2026, 7, 2, 23, 0, tzinfo=UTC)),
        TimeOff(datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC), "Holidays"),
    )
    assert declared_time_off.as_written(found, "Europe/Lisbon") == [
        {"from": "2026-07-01T12:00", "to": "2026-07-03T00:00"},
        {"from": "2026-12-20", "to": "2027-01-03", "reason": "Holidays"},
    ]


@pytest.mark.parametrize(
    ("off", "problem"),
    [
        ("{from: 2026-12-20}", "[0].to: is missing"),
        ("{from: 2026-12-20, to: 2026-12-19}", "[0].to: is not after its beginning"),
        ("{from: christmas, to: 2026-12-27}", '[0].from: "christmas" is neither a date such as 2026-12-20 nor'),
        (
            "{from: '2026-12-20T09:00Z', to: 2026-12-27}",
            "[0].from: is a local time, in Europe/Lisbon: leave the offset",
        ),
        ("{from: 2026-10-25T01:30, to: 2026-12-27}", "[0].from: comes twice in Europe/Lisbon"),
        ("{from: 2026-12-20, to: 2026-12-27, why: x}", "[0].why: unknown key"),
        ("{from: 2026-12-20, to: 2026-12-21}, {from: 2026-12-20, to: 2026-12-27}", "[1].from: is where another entry"),
    ],
)
def test_time_off_that_is_not_clear_is_refused(off: str, problem: str) -> None:
    (found,) = refusals(team(off=off))
    assert found.startswith(f"line 2, responders.ana.time_off{problem}")


def test_a_place_whose_holidays_nobody_knows_is_refused() -> None:
    (found,) = refusals(team().replace("holidays: pt", "holidays: XX"))
    assert found.startswith('line 2, responders.ana.holidays: no public holidays are known for "XX"')


def test_a_zone_that_does_not_exist_is_the_only_thing_said_of_times_in_it() -> None:
    found = refusals(
        team(PLAIN.replace("11-02", "10-25")).replace("    timezone: Europe/Lisbon", "    timezone: Mars/Base")
    )
    assert len(found) == 1
    assert 'schedules.primary.timezone: there is no time zone "Mars/Base"' in found[0]
