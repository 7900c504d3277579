"""What must hold of silences, groups and what flaps, after every step. Judged by `noise`, from rows and from what the
world did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.models import Page, PageState, Timer, TimerKind
from incidents.lifecycle import Status
from incidents.models import Alert, Incident
from incidents.proof.models import TimelineEntry
from incidents.severity import IncidentClass
from incidents.silence_models import SilenceRow
from tests.simulation import noise
from tests.simulation.play import Play

WOKEN_FOR = ("CRITICAL", "HIGH", "MEDIUM")


def check(
    session: Session, play: Play, incidents: Iterable[Incident], timers: Sequence[Timer], pages: Iterable[Page]
) -> None:
    rows, alerts = noise.silences(session), list(session.scalars(select(Alert)))
    of: dict[int, list[Alert]] = defaultdict(list)
    for alert in alerts:
        of[alert.incident_id].append(alert)
    queued = Counter(page.incident_id for page in pages if page.state == PageState.QUEUED and not page.regardless)
    # A dead engine may have taken what is due; the next one acts when its lease has run out.
    is_taken = any(t.claim and t.kind in (TimerKind.SILENCE, TimerKind.WINDOW, TimerKind.SETTLE) for t in timers)
    _all_are_counted(play, alerts)
    for incident in incidents:
        _alone(play, incident, of[incident.id])
        if incident.silenced_until is not None:
            mine = [timer for timer in timers if timer.incident_id == incident.id]
            _held_rightly(incident, mine, queued[incident.id])
            if play.up and not is_taken:
                firing = [alert for alert in of[incident.id] if alert.status == "firing"]
                _something_holds(session, play, incident, rows, firing)
    if play.up and not is_taken:
        _ended_when_quiet(session, play, alerts)
        _begun_holds_all_it_fits(session, play, rows)


def check_the_end(session: Session, play: Play) -> None:
    """All silences are over."""
    assert not session.scalars(select(SilenceRow.id).where(SilenceRow.ended_at.is_(None))).all(), "one goes on"
    released = select(TimelineEntry).where(TimelineEntry.kind == "silence.over").order_by(TimelineEntry.global_seq)
    last = {entry.incident_id: entry.occurred_at for entry in session.scalars(released)}
    for incident in session.scalars(select(Incident)):
        assert incident.silenced_until is None, f"{incident.id} is held back, and nothing silences it"
        if incident.id in last and incident.status == Status.OPEN and incident.severity in WOKEN_FOR:
            told = select(Page.id).where(Page.incident_id == incident.id, Page.queued_at >= last[incident.id])
            again = session.scalars(told.where(Page.regardless.is_(False))).all()
            assert again, f"{incident.id} was released, and nobody was told of it"


def _all_are_counted(play: Play, alerts: Iterable[Alert]) -> None:
    """Each report that was answered is in the count of one alert, in the incident that its sender was told of."""
    counted: Counter[tuple[str, int]] = Counter()
    for alert in alerts:
        counted[alert.dedup_key, alert.incident_id] += alert.count
    accepted = Counter((f"thing-{thing}", number) for thing, number in play.outside.accepted)
    assert counted == accepted, f"counted {counted - accepted} more, {accepted - counted} less than were accepted"


def _alone(play: Play, incident: Incident, alerts: Sequence[Alert]) -> None:
    """What was constitutional from the start shares its incident with nothing, whatever groups."""
    if not play.outside.opened_as[incident.id]:
        keys = {alert.dedup_key for alert in alerts}
        assert len(keys) == 1, f"constitutional {incident.id} has alerts of {keys}"
        flapping = [alert.id for alert in alerts if alert.flapping or alert.settles_at is not None]
        assert not flapping, f"alerts {flapping} of constitutional {incident.id} are damped"


def _held_rightly(incident: Incident, timers: Iterable[Timer], queued: int) -> None:
    number, until = incident.id, incident.silenced_until
    assert until is not None
    assert incident.incident_class == IncidentClass.OPERATIONAL, f"constitutional {number} is silenced"
    assert incident.status == Status.OPEN, f"{number} is {incident.status}, and still held back"
    looks = [timer.due_at for timer in timers if timer.kind == TimerKind.SILENCE and timer.parked_at is None]
    assert len(looks) == 1, f"{number} is held back, and nothing will ever release it"
    assert looks[0] <= until, f"{number} is held back until {until}, and looked at only at {looks[0]}"
    assert not [t for t in timers if t.kind == TimerKind.ADVANCE], f"{number} is held back, and escalates"
    assert not queued, f"{number} is held back, and has {queued} pages queued"


def _something_holds(
    session: Session, play: Play, incident: Incident, rows: Sequence[SilenceRow], firing: Sequence[Alert]
) -> None:
    """Where the clock was set back, what held it then may seem not to have begun."""
    now, without = play.world.now, play.outside.noise.lifted.get(incident.id)
    behind = play.set_back_seconds
    moments = [now + timedelta(seconds=each) for each in (*range(0, behind, 10), behind)]
    service = noise.service_of(session, incident.id)
    found = any(noise.held(rows, service, firing, at, without=without) for at in moments)
    assert found, f"{incident.id} is held back until {incident.silenced_until}, and no silence fits all its alerts"


def _ended_when_quiet(session: Session, play: Play, alerts: Iterable[Alert]) -> None:
    """What its source says is over has ended, at the latest when it has been quiet for as long as its service says."""
    for alert in alerts:
        thing = int(alert.dedup_key.removeprefix("thing-"))
        word, since = play.outside.noise.words[thing]
        if alert.status != "firing" or word != "resolved":
            continue
        quiet = play.outside.noise.services[thing].quiet if alert.flapping else timedelta()
        if session.get_one(Incident, alert.incident_id).incident_class == IncidentClass.OPERATIONAL:
            assert play.world.now < since + quiet, f"alert {alert.id} is over since {since}, and still fires"


def _begun_holds_all_it_fits(session: Session, play: Play, rows: Sequence[SilenceRow]) -> None:
    """A silence that a person has just made holds back what is open then, too."""
    outside, now = play.outside, play.world.now
    begun = [row for row in rows if row.id in outside.begun and noise.goes_on(row, now)]
    outside.begun.clear()
    unheld = select(Incident).where(Incident.status == Status.OPEN, Incident.silenced_until.is_(None))
    for incident in session.scalars(unheld.where(Incident.incident_class == IncidentClass.OPERATIONAL)):
        service, firing = noise.service_of(session, incident.id), noise.firing(session, incident.id)
        without = outside.noise.lifted.get(incident.id, set())
        concerned = [
            row.id
            for row in begun
            if row.id not in without and any(noise.fits(row, service, a.title, a.labels) for a in firing)
        ]
        fits = noise.held(rows, service, firing, now, without=without)
        assert not (concerned and fits), f"{incident.id} is open, silences {concerned} have begun and do not hold it"
