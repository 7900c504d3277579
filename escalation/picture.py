"""A simulated course as a picture: people below each other, time to the right, a mark for each message. Pure; SVG.

It is drawn for the width of a phone and grows with the page. Colours are given twice: as attributes that can be read
on light and dark grounds alike, and as classes, for a page's own style sheet. There is no script in it, and what it
shows is told in its description.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import groupby
from math import sqrt
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from config import durations
from escalation import course_text
from escalation.channels import names
from escalation.channels.base import Purpose
from escalation.oncall import words
from escalation.oncall.hours import Window
from escalation.plan import Stage
from escalation.reach import Person
from escalation.simulate import Course, Taken

WIDTH = 400
LEFT, RIGHT = 12, 388
HEAD = 58  # above the first row: the levels and their times
ROW = 44
LEGEND = 46
NAME_CHARACTERS_MAX = 34
PEOPLE_MAX = 40
NIGHT = Window(time(22), time(7))

INK, SOFT, BAND = "#75797f", "#75797f", "#8a8f98"  # readable on white and on black
COLOURS = {"slack": "#a0528f", "sms": "#c2603a", "voice": "#d03a3a", "email": "#3f7fc4"}
OTHER = "#75797f"
STYLE = """
.night{fill:#4a5a8c;fill-opacity:.16}.band{stroke:#8a8f98;stroke-dasharray:2 3}.row{stroke:#8a8f98;stroke-opacity:.35}
.ink{fill:#1a212b}.soft{fill:#566070}
@media (prefers-color-scheme: dark){.ink{fill:#e4e8ed}.soft{fill:#a0abb9}.night{fill:#8ea2e0;fill-opacity:.2}}
"""


def svg(course: Course, title: str) -> str:
    """A whole document, to be shown by itself or within a page."""
    people = course.people[:PEOPLE_MAX]
    height = HEAD + ROW * max(1, len(people)) + LEGEND
    scale = _Scale(course)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" role="img" '
        'aria-labelledby="course-title course-description" font-family="system-ui, sans-serif" font-size="12">',
        f'<title id="course-title">{escape(title)}</title>',
        f'<desc id="course-description">{escape(_description(course))}</desc>',
        f"<style>{STYLE}</style>",
        *_levels(course, scale, height),
    ]
    for row, person in enumerate(people):
        parts += _person(course, scale, person, HEAD + ROW * row)
    if not people:
        parts.append(_text(LEFT, HEAD + 20, "Nobody is told.", "ink", INK))
    parts += _legend(course, height - LEGEND + 18, more=len(course.people) - len(people))
    return "\n".join([*parts, "</svg>"])


class _Scale:
    """From a time to a place. The first minutes, in which most happens, get more room than the last."""

    def __init__(self, course: Course) -> None:
        self.since = course.case.opened_at
        self.seconds = max(60.0, (course.ends_at - self.since).total_seconds())

    def x(self, at: datetime) -> float:
        part = min(1.0, max(0.0, (at - self.since).total_seconds() / self.seconds))
        return round(LEFT + (RIGHT - LEFT) * sqrt(part), 1)

    def at(self, x: float) -> datetime:
        return self.since + timedelta(seconds=self.seconds * ((x - LEFT) / (RIGHT - LEFT)) ** 2)


def _levels(course: Course, scale: _Scale, height: int) -> Iterator[str]:
    """A line where each step is taken, with its name and its time; names that would overlap are left out."""
    yield _text(LEFT, 14, f"Opened {course_text.moment(course.case.opened_at)}", "ink", INK)
    free_from = float(LEFT)
    bottom = height - LEGEND
    for at, together in groupby(course.steps, key=lambda taken: taken.at):
        x = scale.x(at)
        yield (
            f'<line class="band" x1="{x}" y1="{HEAD - 12}" x2="{x}" y2="{bottom}" stroke="{BAND}" '
            'stroke-dasharray="2 3"/>'
        )
        name = " ".join(map(_name, together))
        after = durations.to_text((at - course.case.opened_at).total_seconds())
        width = 6.6 * max(len(name), len(after)) + 6
        left = min(x, RIGHT - width)
        if left >= free_from:
            yield _text(left, 32, name, "ink", INK, weight="600")
            yield _text(left, 45, after, "soft", SOFT)
            free_from = left + width


def _name(taken: Taken) -> str:
    stage = taken.step.stage
    if stage is Stage.LAST_RESORT:
        return "last resort"
    if stage is Stage.NOTIFYING:
        return "told"
    return f"L{taken.step.level.level}" + ("–" if taken.step.passed_over else "")


def _person(course: Course, scale: _Scale, person: Person, top: int) -> Iterator[str]:
    line = top + 30
    for start, end in _nights(scale, person):
        yield (
            f'<rect class="night" x="{start}" y="{top + 2}" width="{round(end - start, 1)}" height="{ROW - 4}" '
            'fill="#7080b0" fill-opacity="0.18"/>'
        )
    here = scale.since.astimezone(ZoneInfo(person.timezone))
    label = person.name if len(person.name) <= NAME_CHARACTERS_MAX else person.name[: NAME_CHARACTERS_MAX - 1] + "…"
    yield _text(LEFT, top + 15, f"{label} · {here:%H:%M} {words.city(person.timezone)}", "ink", INK)
    yield f'<line class="row" x1="{LEFT}" y1="{line}" x2="{RIGHT}" y2="{line}" stroke="{BAND}" stroke-opacity="0.35"/>'
    for woken in course.woken:
        if woken.person.key == person.key:
            after = durations.to_text((woken.at - scale.since).total_seconds())
            said = f"{after}: {person.name} by {names.name(woken.channel)}, {course_text.where(woken)}"
            hollow = woken.purpose is not Purpose.PAGE
            yield _mark(woken.channel, scale.x(woken.at), line, said, hollow=hollow)


def _nights(scale: _Scale, person: Person) -> Iterator[tuple[float, float]]:
    """From x to x: when it is night where this person is, to about a pixel and a half."""
    start: float | None = None
    steps = 250
    for step in range(steps + 1):
        x = round(LEFT + (RIGHT - LEFT) * step / steps, 1)
        dark = NIGHT.covers(scale.at(x), person.timezone)
        if dark and start is None:
            start = x
        elif start is not None and (not dark or step == steps):
            yield start, x
            start = None


def _mark(channel: str, x: float, y: float, said: str, *, hollow: bool = False) -> str:
    """Told apart by shape as well as by colour; hollow: a notification."""
    colour = COLOURS.get(channel, OTHER)
    look = f'fill="none" stroke="{colour}" stroke-width="2"' if hollow else f'fill="{colour}"'
    shape = {
        "slack": f'<circle cx="{x}" cy="{y}" r="5" {look}>',
        "sms": f'<rect x="{x - 5}" y="{y - 5}" width="10" height="10" {look}>',
        "voice": f'<path d="M{x} {y - 7}L{x + 6} {y + 5}L{x - 6} {y + 5}Z" {look}>',
        "email": f'<path d="M{x} {y - 6}L{x + 6} {y}L{x} {y + 6}L{x - 6} {y}Z" {look}>',
    }.get(channel, f'<path d="M{x - 5} {y}H{x + 5}M{x} {y - 5}V{y + 5}" stroke="{colour}" stroke-width="2">')
    tag = shape[1:].split(" ", 1)[0]
    return f"{shape}<title>{escape(said)}</title></{tag}>"


def _legend(course: Course, top: int, *, more: int) -> Iterator[str]:
    x = float(LEFT + 6)
    for channel in dict.fromkeys(woken.channel for woken in course.woken):
        yield _mark(channel, x, top - 4, names.name(channel))
        yield _text(x + 10, top, names.name(channel), "soft", SOFT)
        x += 26 + 7 * len(names.name(channel))
    if any(woken.purpose is not Purpose.PAGE for woken in course.woken):
        yield _text(x, top, "hollow: notification", "soft", SOFT)
    said = f"and {more} more people; " if more > 0 else ""
    yield _text(LEFT, top + 18, f"{said}shaded: night (22–7) where they are", "soft", SOFT, size=11)


def _text(x: float, y: float, text: str, kind: str, colour: str, *, weight: str = "", size: int = 0) -> str:
    more = (f' font-weight="{weight}"' if weight else "") + (f' font-size="{size}"' if size else "")
    return f'<text class="{kind}" x="{round(x, 1)}" y="{y}" fill="{colour}"{more}>{escape(text)}</text>'


def _description(course: Course) -> str:
    return f"Who hears of it, in order: {course_text.in_short(course)}. {course_text.then(course)}"
