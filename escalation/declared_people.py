"""What tocsin.yaml says of responders. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from config import declaration, durations
from config.fields import Fields
from escalation import addresses, declared_names, declared_time_off
from escalation.addresses import WAYS
from escalation.declared_time_off import TimeOff
from escalation.oncall.hours import Window
from escalation.policies import ROLES

URGENCIES = ("high", "low")
DEFAULT_HIGH_AFTER_SECONDS = {"slack": 0, "apprise": 0, "sms": 60, "voice": 180, "email": 300}
DEFAULT_LOW_FIRST_OF = ("slack", "apprise", "email", "sms")  # the quietest way there is, and only that one
STEPS_MAX = 15
STEP_AFTER_SECONDS_MAX = 86_400
DEFAULT_ROLES = ("responder",)


@dataclass(frozen=True, slots=True)
class PageStep:
    after_seconds: int  # from when the page is decided
    by: str  # a key of WAYS
    window: Window | None = None  # counts only if it falls into it, in the person's zone

    def to_json(self) -> dict[str, int | str]:
        window = self.window.to_json() if self.window else {}
        return {"after_seconds": self.after_seconds, "by": self.by, **window}


@dataclass(frozen=True, slots=True)
class DeclaredResponder:
    key: str
    name: str
    email: str | None  # in lower case
    timezone: str
    roles: tuple[str, ...]
    slack: str | None  # member id
    phone: str | None  # E.164
    page_by: Mapping[str, tuple[PageStep, ...]]  # "high" and "low", by time
    quiet: Window | None = None  # what is not urgent waits for its end
    declares_rules: bool = True  # page_by is the file's, and not what there is without one
    declares_quiet: bool = True
    holidays: str = ""  # whose public holidays: PT, DE-BE
    time_off: tuple[TimeOff, ...] = ()
    apprise: str | None = None  # an Apprise URL, which holds tokens

    @property
    def ways(self) -> dict[str, str]:
        """Every way to reach this person, with the address: {"sms": "+351910000001", …}."""
        own = {"slack": self.slack, "phone": self.phone, "apprise": self.apprise, "email": self.email}
        return {way: address for way, key in WAYS.items() if (address := own[key])}


def responder(section: Fields, owners: dict[tuple[str, str], str]) -> DeclaredResponder | None:
    """`owners` collects whose each address is: an answer from one must name exactly one person."""
    own = {key: _address(section, key, owners) for key in addresses.READERS}
    if not any(section.has(key) for key in own):
        section.refuse("email", f"{section.name} cannot be reached: declare email, slack, phone or apprise")
    ways = [way for way, key in WAYS.items() if own[key]]
    reached_by = [way for way, key in WAYS.items() if section.has(key)]
    page_by = section.inner("page_by")
    zone = declared_names.timezone(section, default="UTC")
    found = DeclaredResponder(
        key=section.name,
        name=section.text("name", required=True),
        email=own["email"],
        timezone=zone,
        roles=_roles(section),
        slack=own["slack"],
        phone=own["phone"],
        apprise=own["apprise"],
        page_by={
            urgency: steps(page_by, urgency, section.name, reached_by) or default_steps(urgency, ways)
            for urgency in URGENCIES
        },
        quiet=quiet_hours(section),
        declares_rules=section.has("page_by"),
        declares_quiet=section.has("quiet"),
        holidays=declared_names.place(section),
        time_off=declared_time_off.time_off(section, zone),
    )
    return found if section.sound else None


def _address(section: Fields, key: str, owners: dict[tuple[str, str], str]) -> str | None:
    written = section.text(key, characters_max=addresses.EMAIL_CHARACTERS_MAX)
    if not written:
        return None
    try:
        address = addresses.READERS[key](written)
    except ValueError as refused:
        section.refuse(key, str(refused))
        return None
    owner = owners.setdefault((key, address), section.name)
    if owner != section.name:
        section.refuse(key, f"{declaration.shown(addresses.shown(key, address))} is already {owner}'s")
    return address


def steps(page_by: Fields, urgency: str, name: str, ways: Collection[str]) -> tuple[PageStep, ...]:
    """By time. Empty if the urgency is not there. `ways`: those that `name`, a person, can be reached by."""
    found: list[PageStep] = []
    sections = page_by.each(urgency, required=page_by.has(urgency))
    for section in sections:
        step = PageStep(
            section.seconds("after", maximum=STEP_AFTER_SECONDS_MAX),
            section.choice("by", WAYS),
            declared_names.window(section),
        )
        if step.by and step.by not in ways:
            section.refuse("by", f"{name} has no {WAYS[step.by]} to be reached by {step.by}")
        elif step in found:
            section.refuse("by", f"{step.by} after {durations.to_text(step.after_seconds)} is there twice")
        found.append(step)
    if len(sections) > STEPS_MAX:
        page_by.refuse(urgency, f"has more than {STEPS_MAX} steps")
    return tuple(sorted(found, key=lambda step: step.after_seconds))


def quiet_hours(section: Fields) -> Window | None:
    quiet = section.inner("quiet")
    window = declared_names.window(quiet)
    if window is None and section.has("quiet") and quiet.sound:
        section.refuse("quiet", 'has a beginning and an end: {from: "22:00", to: "07:00"}')
    elif window is not None and window.begins == window.ends:
        section.refuse("quiet", "would never end; leave it out, or say when it does")
    return window


def default_steps(urgency: str, ways: Collection[str]) -> tuple[PageStep, ...]:
    """High: every way there is, more insistent by the minute, the first one at once."""
    if urgency == "low":
        quietest = next((way for way in DEFAULT_LOW_FIRST_OF if way in ways), None)
        return (PageStep(0, quietest),) if quietest else ()
    after_seconds = {way: after for way, after in DEFAULT_HIGH_AFTER_SECONDS.items() if way in ways}
    first_seconds = min(after_seconds.values(), default=0)
    return tuple(PageStep(after - first_seconds, way) for way, after in after_seconds.items())


def default_rules(ways: Collection[str]) -> dict[str, Any]:
    """What somebody with these ways goes by who has said nothing, as it is stored."""
    return {urgency: [step.to_json() for step in default_steps(urgency, ways)] for urgency in URGENCIES}


def _roles(section: Fields) -> tuple[str, ...]:
    written = section.texts("roles", required=section.has("roles"))
    for path, role in written.items():
        if role not in ROLES:
            section.refuse_at(path, f'no role "{declaration.shown(role)}"; {declaration.suggestion(role, ROLES)}')
    return tuple(dict.fromkeys(written.values())) or DEFAULT_ROLES
