"""Time off and public holidays, from the file to who is paged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from config.database import Database
from config.declaration import DeclarationError
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.oncall import absences, resolve, rota
from escalation.oncall.models import AbsenceRow, CalendarCopy
from escalation.policies import Target
from tests.calling import counted
from tests.declaring import NOW, apply, changed, everything, writes

DAILY = """
responders:
  ana: {name: Ana Lima, email: ana@example.org, timezone: Europe/Lisbon, holidays: PT, time_off: [OFF]}
  bo: {name: Bo Chen, email: bo@example.org, timezone: Asia/Singapore}
  eve: {name: Eve Okoro, email: eve@example.org}
schedules:
  primary:
    timezone: UTC
    rotations:
      - {members: [ana, bo], starts: "2026-11-02T00:00", turn: 1d}
      - {members: [eve], starts: "2026-11-02T00:00", turn: 1d, shadow: true}
last_resort: ["responder:ana"]
"""
COMING = '{from: "2026-11-10", to: "2026-11-11", reason: Wedding}'
PRIMARY = Target("schedule", "primary")


def declared(off: str) -> str:
    return DAILY.replace("OFF", off)


def people(database: Database, day: str) -> list[str]:
    with database.reading() as session:
        return [person.key for person in rota.people(session, [PRIMARY], at(day))]


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def kept(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as session:
        rows = session.scalars(select(AbsenceRow).order_by(AbsenceRow.starts_at))
        return [(f"{row.starts_at:%m-%dT%H}", f"{row.ends_at:%m-%dT%H}", row.reason) for row in rows]


def test_whoever_has_time_off_is_not_paged_and_the_turn_goes_on(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(COMING))
    days = [f"2026-11-{day:02}" for day in range(8, 14)]
    assert [people(sqlite_database, day) for day in days] == [["ana"], ["bo"], ["bo"], ["bo"], ["ana"], ["bo"]]


def test_a_public_holiday_moves_the_turn_of_whoever_keeps_it(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(""))
    # 2026-12-08 is one in Portugal, and would be ana's.
    days = [f"2026-12-{day:02}" for day in (6, 7, 8, 9, 10)]
    assert [people(sqlite_database, day) for day in days] == [["ana"], ["bo"], ["bo"], ["ana"], ["bo"]]


def test_a_public_holiday_lasts_from_midnight_to_midnight_where_the_person_lives() -> None:
    found = absences.holidays("bo", "SG", "Asia/Singapore", 2026)
    national_day = next(each for each in found if each.starts_at == datetime(2026, 8, 8, 16, tzinfo=UTC))
    assert (national_day.ends_at - national_day.starts_at, national_day.hard) == (timedelta(days=1), False)


def test_shadows_are_found_beside_those_who_are_paged(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(""))
    with sqlite_database.reading() as session:
        duty = rota.on_duty(session, "primary", at("2026-11-10"))
        assert [[person.key for person in found] for found in (duty.on_call, duty.shadows)] == [["ana"], ["eve"]]


# Applying


def test_declared_time_off_is_told_kept_and_taken_back(sqlite_database: Database) -> None:
    told = apply(sqlite_database, declared(COMING)).lines
    assert "~ responder ana: time off {from: 2026-11-10, to: 2026-11-11, reason: Wedding} added" in told
    assert kept(sqlite_database) == [("11-10T00", "11-12T00", "Wedding")]
    longer = COMING.replace('to: "2026-11-11"', 'to: "2026-11-12"')
    assert apply(sqlite_database, declared(longer)).lines == [
        "~ responder ana: time off {from: 2026-11-10, to: 2026-11-11, reason: Wedding} "
        "-> {from: 2026-11-10, to: 2026-11-12, reason: Wedding}"
    ]
    assert apply(sqlite_database, declared("")).lines == [
        "~ responder ana: time off {from: 2026-11-10, to: 2026-11-12, reason: Wedding} taken back"
    ]
    assert kept(sqlite_database) == []


def test_a_second_apply_of_time_off_writes_nothing(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(COMING))
    before = everything(sqlite_database)
    for days in (0, 8.5, 400):  # before it, in the middle of it, after it
        with writes(sqlite_database) as written:
            assert apply(sqlite_database, declared(COMING), now=NOW + timedelta(days=days)).lines == []
        assert written == []
    assert everything(sqlite_database) == before


def test_what_is_past_stays_when_the_file_no_longer_has_it(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(COMING))
    afterwards = NOW + timedelta(days=30)
    assert apply(sqlite_database, declared(""), now=afterwards).lines == []
    assert kept(sqlite_database) == [("11-10T00", "11-12T00", "Wedding")]


def test_what_has_begun_ends_now_when_the_file_no_longer_has_it(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(COMING))
    during = datetime(2026, 11, 11, 6, tzinfo=UTC)
    for _ in range(2):
        apply(sqlite_database, declared(""), now=during)
        assert kept(sqlite_database) == [("11-10T00", "11-11T06", "Wedding")]
    assert people(sqlite_database, "2026-11-10") == ["bo"]


def test_time_off_that_somebody_entered_survives_the_file(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(COMING))
    with sqlite_database.transaction() as session:
        ana = session.scalars(select(Responder).where(Responder.key == "ana")).one()
        row = AbsenceRow(responder_id=ana.id, starts_at=at("2026-11-20"), ends_at=at("2026-11-21"), created_by="Ana")
        row.created_at = NOW
        session.add(row)
    apply(sqlite_database, declared(""))
    assert [starts for starts, _, _ in kept(sqlite_database)] == ["11-20T12"]


def test_time_off_with_a_problem_changes_nothing(sqlite_database: Database) -> None:
    apply(sqlite_database, declared(COMING))
    before = everything(sqlite_database)
    bad = changed("11-11", "11-09", declared(COMING)).replace("Ana Lima", "Anna Lima")
    with pytest.raises(DeclarationError, match=r"line 3, responders.ana.time_off\[0\].to: is not after its beginning"):
        apply(sqlite_database, bad)
    assert everything(sqlite_database) == before


# Rosters


def test_somebody_who_has_left_is_replaced_by_nobody_new_and_leaves_a_hole_that_is_seen(database: Database) -> None:
    apply(database, declared(""))
    with database.transaction() as session:
        ids = {row.key: row.id for row in session.execute(select(Responder.key, Responder.id))}
        schedule = session.scalars(select(ScheduleRow)).one()
        for responder, replaces in (("eve", "ana"), ("bo", "ana")):
            session.add(
                OverrideRow(
                    schedule_id=schedule.id, responder_id=ids[responder], replaces_id=ids[replaces],
                    starts_at=at("2026-11-04"), ends_at=at("2026-11-05"), created_by="Zoe", created_at=NOW,
                )
            )  # fmt: skip
        session.flush()
        for key in ("eve", "bo"):
            session.scalars(select(Responder).where(Responder.key == key)).one().active = False
    since = at("2026-11-04")
    with database.reading() as session:
        (found,) = rota.rosters(session, since, since + timedelta(days=2))
        assert resolve.on_call(found, since) == ("ana",)  # both who would stand in for her have left
        assert resolve.gaps(found, since, since + timedelta(days=2)) == [
            (datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC))
        ]
        assert resolve.shadows(found, since) == ()


def test_a_calendar_copy_says_who_is_on_call(database: Database) -> None:
    url = "https://calendar.example.org/oncall.ics"
    apply(
        database, declared("").replace('members: [ana, bo], starts: "2026-11-02T00:00", turn: 1d', f'calendar: "{url}"')
    )
    assert people(database, "2026-11-10") == []
    with database.transaction() as session:
        shifts = [["2026-11-10T00:00:00+00:00", "2026-11-11T00:00:00+00:00", "bo"]]
        copy = session.scalars(select(CalendarCopy).where(CalendarCopy.url_hash == rota.calendar_hash(url))).one()
        copy.shifts = shifts
    assert people(database, "2026-11-10") == ["bo"]
    assert people(database, "2026-11-11") == []


def test_rosters_cost_as_many_statements_for_ten_schedules_as_for_one(sqlite_database: Database) -> None:
    one = declared(COMING)
    more = "".join(
        f'  more-{number}: {{timezone: UTC, rotations: [{{members: [bo, ana], starts: "2026-11-02", turn: 1d}}]}}\n'
        for number in range(9)
    )
    counts = []
    for text in (one, one.replace("last_resort", f"{more}last_resort")):
        apply(sqlite_database, text)
        with sqlite_database.reading() as session, counted(sqlite_database) as statements:
            rota.rosters(session, NOW, NOW + timedelta(days=400))
        counts.append(len(statements))
    assert counts == [4, 4]
