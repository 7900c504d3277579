"""What can happen in a simulated world. Each step is a value, so that a failing run can be read and pasted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

from tests.simulation.crashing import Moment

THINGS = (0, 0, 0, 1, 1, 3)  # what alerts are about; mostly the same, so that what is done meets what is open
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
PEOPLE = ("ana", "bo", "mia")


class Point(StrEnum):
    """Where in the handing over of a page something can come in between."""

    CLAIMED = "claimed"  # the engine has claimed it and not begun
    SENDING = "sending"  # the provider is being called
    TAKEN = "taken"  # the provider took it; nothing is recorded yet


class Fault(StrEnum):
    REFUSED = "refused"  # for good
    UNWELL = "unwell"  # this time
    BUSY = "busy"  # and says when to come back


@dataclass(frozen=True)
class Alert:
    thing: int
    severity: str
    crash: Moment | None = None  # of the web process that takes it in


@dataclass(frozen=True)
class SourceSays:
    """The source reports that the thing has ended, or that it is acknowledged there."""

    thing: int
    status: str  # resolved, acknowledged


@dataclass(frozen=True)
class Acknowledge:
    thing: int
    by: str
    crash: Moment | None = None


@dataclass(frozen=True)
class Resolve:
    thing: int
    by: str
    crash: Moment | None = None


@dataclass(frozen=True)
class Approve:
    """A keeper agrees to what ana asked for on a constitutional incident."""

    thing: int
    by: str  # kim, kai


@dataclass(frozen=True)
class Escalate:
    thing: int


@dataclass(frozen=True)
class Reclassify:
    thing: int
    severity: str


@dataclass(frozen=True)
class Broken:
    """The next sends on this channel fail like this."""

    channel: str
    fault: Fault
    times: int


@dataclass(frozen=True)
class Outage:
    """Every send on these channels fails like this, until they are healed."""

    channels: tuple[str, ...]
    fault: Fault


@dataclass(frozen=True)
class Healed: ...


@dataclass(frozen=True)
class Pass:
    """Time passes; the engine acts whenever something is due."""

    seconds: int


@dataclass(frozen=True)
class UntilMorning: ...


@dataclass(frozen=True)
class ClockBack:
    """The machine's clock is set back."""

    seconds: int


@dataclass(frozen=True)
class Down:
    """The engine dies while it does nothing."""


@dataclass(frozen=True)
class Up:
    """Another engine starts; `takes_over`: it knows that the last one is dead, and need not wait for its leases."""

    takes_over: bool


@dataclass(frozen=True)
class CrashAt:
    """The engine dies at one of its next commits, and another starts after a while."""

    commits: int
    moment: Moment
    takes_over: bool
    down_seconds: int


@dataclass(frozen=True)
class CrashNow:
    """For `Meanwhile`: the engine dies at this very point."""

    takes_over: bool


@dataclass(frozen=True)
class Slow:
    """For `Meanwhile`: the provider takes longer than the lease lasts, and another engine ticks before it answers."""

    seconds: int


Act = Alert | SourceSays | Acknowledge | Resolve | Escalate | Reclassify | CrashNow | Slow


@dataclass(frozen=True)
class Meanwhile:
    """The next time a page comes to this point, something else happens there first."""

    point: Point
    act: Act


Step = Act | Approve | Broken | Outage | Healed | Pass | UntilMorning | ClockBack | Down | Up | CrashAt | Meanwhile

things = st.sampled_from(THINGS)
severities = st.sampled_from(SEVERITIES)
people = st.sampled_from(PEOPLE)
crashes = st.sampled_from((None, None, None, None, *Moment))
alerts = st.builds(Alert, things, severities, crashes)
answers: st.SearchStrategy[Act] = st.one_of(
    st.builds(Acknowledge, things, people, crashes),
    st.builds(Resolve, things, people, crashes),
    st.builds(SourceSays, things, st.sampled_from(("resolved", "acknowledged"))),
    st.builds(Escalate, things),
    st.builds(Reclassify, things, severities),
)
dying = st.builds(
    CrashAt,
    commits=st.integers(1, 12),
    moment=st.sampled_from(Moment),
    takes_over=st.booleans(),
    down_seconds=st.sampled_from((0, 1, 45, 400, 4_000)),
)
coming_between = st.one_of(
    answers, alerts, st.builds(CrashNow, st.booleans()), st.builds(Slow, st.sampled_from((20, 31, 90, 400)))
)
everything = ("slack", "sms", "voice", "email")
troubles = st.one_of(
    st.builds(Broken, st.sampled_from(everything), st.sampled_from(Fault), st.integers(1, 7)),
    st.builds(Outage, st.sampled_from((("sms",), ("sms", "voice"), everything)), st.sampled_from(Fault)),
    st.just(Healed()),
)

# What kind of step comes how often; each kind is as likely as it stands here often.
KINDS: dict[str, tuple[int, st.SearchStrategy[Step]]] = {
    "alert": (5, alerts),
    "passing": (5, st.builds(Pass, st.sampled_from((1, 20, 61, 200, 300, 900, 2_700)))),
    "answer": (6, answers),
    "dying": (3, dying),
    "meanwhile": (6, st.builds(Meanwhile, st.sampled_from(Point), coming_between)),
    "trouble": (4, troubles),
    "engine": (1, st.one_of(st.just(Down()), st.builds(Up, st.booleans()))),
    "clock": (1, st.builds(ClockBack, st.sampled_from((1, 40, 1_000)))),
    "morning": (1, st.just(UntilMorning())),
    "approval": (1, st.builds(Approve, things, st.sampled_from(("kim", "kai")))),
}
ACTS_IN_A_RUN = 4


@st.composite
def runs(draw: st.DrawFn) -> list[Step]:
    """An alert and some twenty steps after it. Several short lists: a long one comes up too seldom by itself."""
    kinds = st.sampled_from([kind for kind, (often, _) in KINDS.items() for _ in range(often)])
    happenings: list[Step] = [draw(alerts)]
    for _ in range(ACTS_IN_A_RUN):
        happenings += [draw(KINDS[kind][1]) for kind in draw(st.lists(kinds, max_size=10))]
    return happenings
