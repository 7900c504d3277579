"""What must hold after every step, read from the database and from the fake phones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escalation.models import Attempt, Escalation, Page, PageState, Timer, TimerKind
from escalation.paging import bundling, retries
from incidents import reconciling
from incidents.lifecycle import Status
from incidents.models import Alert, Incident
from incidents.proof import verify
from incidents.proof.models import TimelineEntry
from incidents.severity import IncidentClass
from tests.simulation import invariants_noise
from tests.simulation.play import Play
from tests.simulation.sightings import FIRINGS
from tests.simulation.steps import Fault

NEVER_SILENT = ("CRITICAL", "HIGH", "MEDIUM")


def check(play: Play) -> None:
    with play.database.reading() as session:
        incidents = list(session.scalars(select(Incident)))
        timers = list(session.scalars(select(Timer)))
        pages = list(session.scalars(select(Page)))
        tried = set(session.scalars(select(Attempt.page_id)))
        lost = Counter(session.scalars(select(Attempt.page_id).where(Attempt.id.in_(play.lost_attempts))))
        _alerts(session, play)
        invariants_noise.check(session, play, incidents, timers, pages)
    by_incident: dict[int, list[Page]] = defaultdict(list)
    for page in pages:
        by_incident[page.incident_id].append(page)
    for incident in incidents:
        asking = {page.id for page in by_incident[incident.id] if page.regardless}
        _never_silent(play, incident, [t for t in timers if t.incident_id == incident.id], asking)
        _goes_on_when_nobody_is_left(play, incident, by_incident[incident.id])
        _quiet_after_a_stop(play, incident, by_incident[incident.id])
        _constitutional(play, incident)
    _nothing_due_is_left(play, timers)
    _sent_at_its_time(play, pages, tried, {t.subject_id: t for t in timers if t.kind == TimerKind.DELIVER})
    _deliveries(play, pages, lost)
    _states(play, pages, lost, {t.subject_id for t in timers if t.kind == TimerKind.DELIVER})


def check_the_end(play: Play) -> None:
    """After the last step and time enough for every retry."""
    check(play)
    verification = verify.run(play.database)
    assert not verification.problems, verification.problems
    with play.database.reading() as session:
        suspected = reconciling.suspects(session, play.world.now)
        assert not suspected, f"the reconciler would mend {suspected}"
        overdue = session.execute(
            select(Page, Timer)
            .join(Timer, (Timer.kind == TimerKind.DELIVER) & (Timer.subject_id == Page.id))
            .where(Page.state == PageState.QUEUED, Page.due_at <= play.world.now)
        )
        left = [page.id for page, timer in overdue if not _may_wait(play, page, timer)]
        assert not left, f"pages {left} were never handed over"
        _timeline_is_complete(session)
        _rooms_show_how_it_stands(play, session)
        invariants_noise.check_the_end(session, play)


def _alerts(session: Session, play: Play) -> None:
    rows = session.execute(
        select(Alert.integration_id, Alert.dedup_key, Alert.status, Alert.incident_id).join(
            Incident, Incident.id == Alert.incident_id
        )
    ).all()
    assert len(rows) == session.scalar(select(func.count()).select_from(Alert)), "an alert belongs to no incident"
    firing = Counter((row.integration_id, row.dedup_key) for row in rows if row.status == "firing")
    assert all(count == 1 for count in firing.values()), f"one key, several alerts: {firing}"


def _never_silent(play: Play, incident: Incident, timers: Iterable[Timer], asking: set[int]) -> None:
    course, now = play.outside.courses[incident.id], play.world.now
    advance = [t for t in timers if t.kind == TimerKind.ADVANCE and t.parked_at is None]
    if incident.status != Status.OPEN:
        asked = [t.id for t in timers if t.kind == TimerKind.DELIVER and t.subject_id in asking]
        while_acknowledged = (TimerKind.PHASE, TimerKind.SETTLE)
        clocks = [t.id for t in timers if t.kind in while_acknowledged and incident.status == Status.ACKNOWLEDGED]
        left = [t.kind for t in timers if t.kind != TimerKind.SHOW and t.id not in (*asked, *clocks)]
        assert not left, f"{incident.id} is {incident.status} and still has timers: {left}"
        return
    if incident.severity in NEVER_SILENT and incident.silenced_until is None:
        assert advance, f"{incident.severity} {incident.id} is open, and nothing will ever wake anybody"
    if play.up:
        assert not course.overdue(now) or advance[0].claimed_by, f"{incident.id} should have fired at {course.due}"
        due: datetime | None = advance[0].due_at if advance else None
        assert due == course.due, f"{incident.id} fires next at {due}; it should at {course.due}"


def _goes_on_when_nobody_is_left(play: Play, incident: Incident, pages: list[Page]) -> None:
    course = play.outside.courses[incident.id]
    last = [page.state for page in pages if page.firing == len(course.firings)]
    if play.up and incident.status == Status.OPEN and last and set(last) == {PageState.FAILED}:
        assert course.may_rest_after_failure(), (
            f"{incident.id}: {course.firings[-1]} failed whole, and nothing followed"
        )


def _quiet_after_a_stop(play: Play, incident: Incident, pages: list[Page]) -> None:
    stop = play.outside.stops.get(incident.id)
    if stop is None:
        return
    # A keeper is asked about a halt, and a phase's level raised, whoever holds the incident.
    asking = {page.id for page in pages if page.regardless}
    assert {page.id for page in pages} - asking <= stop.pages, f"{incident.id}: a page was created after the stop"
    queued = [page.id for page in pages if page.state == PageState.QUEUED and page.id not in asking]
    assert not queued, f"{incident.id} was stopped, and its pages {queued} are still queued"
    since = {told.page_id for told in play.told if told.delivery >= stop.deliveries}
    late = since & stop.pages - stop.in_flight - asking
    assert not late, f"{incident.id} was stopped, and pages {late} went out after that"


def _constitutional(play: Play, incident: Incident) -> None:
    """Never resolved by a source or by one person; keepers are asked when a halt is recommended."""
    if incident.incident_class != IncidentClass.CONSTITUTIONAL:
        return
    if incident.status == Status.RESOLVED and incident.id not in play.outside.known_late:
        assert len(play.outside.approvals.get(incident.id, ())) >= 2, (
            f"constitutional {incident.id} was resolved by one"
        )
    if incident.severity == "CRITICAL":
        assert play.outside.courses[incident.id].asked, f"no keeper was asked about a halt for {incident.id}"


def _nothing_due_is_left(play: Play, timers: Iterable[Timer]) -> None:
    if play.up:
        due = [(t.kind, t.subject_id) for t in timers if t.visible_at <= play.world.now]
        assert not due, f"the engine rests, and these are due: {due}"
    assert not [t for t in timers if t.parked_at], "a timer was parked"


def _sent_at_its_time(play: Play, pages: Iterable[Page], tried: set[int], delivers: Mapping[int, Timer]) -> None:
    """A page that is due has been tried, or a dead engine's claim on it has not ended yet."""
    for page in pages:
        if play.up and page.state == PageState.QUEUED and page.due_at <= play.world.now and page.id not in tried:
            timer = delivers.get(page.id)
            assert timer is not None, f"page {page.id} is due since {page.due_at}, and nobody ever tries"
            assert timer.claim or _may_wait(play, page, timer), f"page {page.id} is due since {page.due_at}"


def _may_wait(play: Play, page: Page, timer: Timer) -> bool:
    """It is held, for no longer than one window, because the person was told other things on this channel just now."""
    window = timedelta(seconds=bundling.window_seconds(page.channel, {}))
    before = [
        d
        for d in play.world.deliveries
        if (d.channel, d.to) == (page.channel, page.address) and d.message.purpose == page.purpose and not d.edit
    ]
    return len(before) >= bundling.BURST_MESSAGES and timer.visible_at - page.due_at <= window


def _deliveries(play: Play, pages: Iterable[Page], lost: Counter[int]) -> None:
    """At least once, with at most one repeat for each time that nobody lived to record a send."""
    addresses = {page.id: (page.channel, page.address) for page in pages}
    counted: Counter[int] = Counter()
    marked: Counter[int] = Counter()
    in_doubt: set[int] = set()  # deliveries that tell of a page which may have arrived before
    for told in play.told:
        delivered = play.world.deliveries[told.delivery]
        page_id = told.page_id
        counted[page_id] += 1
        marked[page_id] += delivered.message.repeat
        assert addresses[page_id] == (delivered.channel, delivered.to), f"page {page_id} went to {delivered.to}"
        if lost[page_id]:
            in_doubt.add(told.delivery)
    for told in play.told:
        repeat = play.world.deliveries[told.delivery].message.repeat
        assert not repeat or told.delivery in in_doubt, f"page {told.page_id} is marked as a repeat for no reason"
    for page_id, count in counted.items():
        assert count <= 1 + marked[page_id], f"page {page_id} came again, not marked as a repeat"
        assert count <= 1 + lost[page_id], f"page {page_id} came {count} times after {lost[page_id]} crashes"


def _states(play: Play, pages: Iterable[Page], lost: Counter[int], timed: set[int]) -> None:
    faults: dict[int, list[Fault | None]] = defaultdict(list)
    for call in play.calls:
        faults[call.page_id].append(call.fault)
    for page in pages:
        calls = faults[page.id]
        if page.state == PageState.QUEUED:
            assert page.id in timed, f"page {page.id} is queued, and nothing will ever send it"
        elif page.state in (PageState.SENT, PageState.BUNDLED):
            assert None in calls, f"page {page.id} counts as {page.state}, and no provider took it"
            assert (page.carrier_id is not None) == (page.state == PageState.BUNDLED), f"page {page.id} is {page.state}"
        elif page.state == PageState.FAILED:
            assert None not in calls or lost[page.id], f"page {page.id} counts as failed, and a provider took it"
            gave_up = Fault.REFUSED in calls or len(calls) > len(retries.BACKOFF_SECONDS)
            assert gave_up, f"page {page.id} was given up after {calls}"


def _timeline_is_complete(session: Session) -> None:
    """It tells of every firing, and of every page that was handed over and lived to be recorded."""
    told = select(TimelineEntry.incident_id, func.count()).group_by(TimelineEntry.incident_id)
    firings = dict(session.execute(told.where(TimelineEntry.kind.in_(FIRINGS))).all())
    for incident_id, firing in session.execute(select(Escalation.incident_id, Escalation.firing)):
        assert firings.get(incident_id, 0) == firing, f"the timeline of {incident_id} leaves out a firing"
    sent = dict(session.execute(told.where(TimelineEntry.kind == "page.sent")).all())
    recorded = session.execute(
        select(Page.incident_id, func.count())
        .join(Attempt, Attempt.page_id == Page.id)
        .where(Attempt.outcome == "sent")
        .group_by(Page.incident_id)
    )
    for incident_id, count in recorded:
        assert sent.get(incident_id) == count, f"the timeline of {incident_id} leaves out a page"


def _rooms_show_how_it_stands(play: Play, session: Session) -> None:
    """The newest message of an incident in a room is the living one; a crash may have left an older one behind."""
    shown = {
        (d.message.brief.incident_id, d.to): d.message.standing.status
        for d in play.world.deliveries
        if d.to.startswith("#")
    }
    for incident_id, status in session.execute(select(Incident.id, Incident.status)):
        said = {to: seen for (number, to), seen in shown.items() if number == incident_id}
        assert set(said.values()) <= {status}, f"{incident_id} is {status}, and rooms say {said}"
