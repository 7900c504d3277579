"""What can happen in a simulated world. Each step is a value, so that a failing run can be read, pasted and cut short."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tests.simulation.crashing import Moment


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
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Storm:
    """Many things are reported at once, before any engine looks."""

    things: tuple[int, ...]
    severities: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Toggles:
    """The thing ends and is reported again, so many times, with so long between; `ends`: and then it ends for good."""

    thing: int
    times: int
    seconds: int
    severity: str = "HIGH"
    ends: bool = False


@dataclass(frozen=True)
class Silence:
    """Somebody silences what fits all that is given; `daily`: from hour to hour, again and again; else once."""

    services: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    title: str = ""
    after_seconds: int = 0
    lasts_seconds: int = 3_600
    daily: tuple[str, str] | None = None  # "10:30", "11:15"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    crash: Moment | None = None


@dataclass(frozen=True)
class Extend:
    """One of the silences that are not over lasts longer; `which`: by its place among them."""

    which: int
    by_seconds: int


@dataclass(frozen=True)
class End:
    which: int
    crash: Moment | None = None


@dataclass(frozen=True)
class EndAll: ...


@dataclass(frozen=True)
class RaiseClass:
    """A person says that the thing's incident is constitutional."""

    thing: int


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
    """`held`: of the incidents that are held back, if there are any, the one at this place among them."""

    thing: int
    held: bool = False


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


Quieting = Silence | Extend | End | EndAll
Act = Alert | SourceSays | Acknowledge | Resolve | Escalate | Reclassify | RaiseClass | CrashNow | Slow | Quieting


@dataclass(frozen=True)
class Meanwhile:
    """The next time a page comes to this point, something else happens there first: to its own incident, if to any."""

    point: Point
    act: Act


Step = (
    Act
    | Storm
    | Toggles
    | Approve
    | Broken
    | Outage
    | Healed
    | Pass
    | UntilMorning
    | ClockBack
    | Down
    | Up
    | CrashAt
    | Meanwhile
)
