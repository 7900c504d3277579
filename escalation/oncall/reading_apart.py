"""Reading a calendar in a process of its own, which may take only so long and so much memory.

A line of an iCalendar document can ask for more repetitions than there is memory for, or for one that never comes.
Whoever keeps the calendar, or stands between, must not be able to stop the engine with it, and while a large one is
read, pages go out as fast as ever.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from escalation.oncall import calendar
from escalation.oncall.calendar import CalendarError, Copied, Person

SECONDS_MAX = 15.0  # with the time it takes to get the calendar still shorter than a claim's lease
MEMORY_BYTES_MAX = 1024**3
MEMORY_TOO_LITTLE = 3  # the child's exit code


def read(
    text: bytes,
    people: Sequence[Person],
    since: datetime,
    until: datetime,
    *,
    zone: str,
    seconds_max: float = SECONDS_MAX,
    memory_bytes_max: int = MEMORY_BYTES_MAX,
) -> Copied:
    """As calendar.read(), and CalendarError too for what takes too long or too much memory."""
    asked = {
        "people": [asdict(person) for person in people],
        "since": since.isoformat(),
        "until": until.isoformat(),
        "zone": zone,
        "cpu_seconds_max": int(seconds_max) + 1,
        "memory_bytes_max": memory_bytes_max,
    }
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        child = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", __name__],
            input=json.dumps(asked).encode() + b"\n" + text,
            capture_output=True,
            timeout=seconds_max,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise CalendarError(f"Reading it took longer than {seconds_max:g} s: it repeats too much.") from late
    if child.returncode == MEMORY_TOO_LITTLE:
        raise CalendarError("Reading it took too much memory: it repeats too much.")
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise CalendarError(f"Reading it failed ({child.returncode}: {said}).")
    answer = json.loads(child.stdout)
    if "refused" in answer:
        raise CalendarError(answer["refused"])
    shifts = (
        (datetime.fromisoformat(first), datetime.fromisoformat(last), who) for first, last, who in answer["shifts"]
    )
    return Copied(tuple(shifts), tuple(answer["findings"]))


def _answer(asked: dict[str, Any], text: bytes) -> dict[str, Any]:
    people = [Person(**person) for person in asked["people"]]
    since, until = (datetime.fromisoformat(asked[name]) for name in ("since", "until"))
    try:
        copied = calendar.read(text, people, since, until, zone=asked["zone"])
    except CalendarError as refused:
        return {"refused": str(refused)}
    shifts = [(first.isoformat(), last.isoformat(), who) for first, last, who in copied.shifts]
    return {"shifts": shifts, "findings": copied.findings}


def _main() -> int:
    """The child: what is asked in the first line, the calendar below it."""
    asked = json.loads(sys.stdin.buffer.readline())
    # Also where nobody is left to end it.
    limits = ((resource.RLIMIT_CPU, asked["cpu_seconds_max"]), (resource.RLIMIT_AS, asked["memory_bytes_max"]))
    for limit, most in limits:
        with contextlib.suppress(ValueError, OSError):  # a system that knows no such limit, or has set a lower one
            resource.setrlimit(limit, (most, most))
    with contextlib.suppress(OSError):
        os.nice(10)  # behind the engine's own work
    try:
        answer = _answer(asked, sys.stdin.buffer.read())
        sys.stdout.write(json.dumps(answer))
    except MemoryError:
        return MEMORY_TOO_LITTLE
    return 0


if __name__ == "__main__":
    sys.exit(_main())
