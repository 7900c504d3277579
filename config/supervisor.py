"""Keeps child processes alive: restarts a dead one with growing pauses, and ends all of them cleanly at SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config import clock, logs

FIRST_PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 30.0
HEALTHY_AFTER_SECONDS = 60.0
GRACE_SECONDS = 20.0  # longer than the longest send
LOOK_EVERY_SECONDS = 0.2
SUPERVISED = "SUPERVISED_BY_TOCSIN"  # in the environment of the children: the process id of their parent

log = logs.get("supervisor")


@dataclass
class Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS
    not_before: float = 0.0
    restarts: int = field(default=0)


class Supervisor:
    """`later`: how many seconds after the others a child is started, so that these are there sooner."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        environment: Mapping[str, str],
        *,
        later: Mapping[str, float] | None = None,
    ) -> None:
        now = clock.monotonic_seconds()
        self._children = [
            Child(name, command, not_before=now + (later or {}).get(name, 0.0)) for name, command in commands.items()
        ]
        self._environment = {**environment, SUPERVISED: str(os.getpid())}
        self._ending = threading.Event()

    def run(self) -> int:
        """Until SIGTERM or SIGINT; 0 when every child ended in time."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ending.set())
        while not self._ending.is_set():
            for child in self._children:
                self._keep(child)
            self._ending.wait(LOOK_EVERY_SECONDS)
        return self._end()

    def _keep(self, child: Child) -> None:
        now = clock.monotonic_seconds()
        if child.process is None:
            if now >= child.not_before:
                child.process = subprocess.Popen(child.command, env=self._environment)  # noqa: S603  our own commands
                child.started_at = now
            return
        if child.process.poll() is None:
            return
        if now - child.started_at > HEALTHY_AFTER_SECONDS:
            child.pause_seconds = FIRST_PAUSE_SECONDS
        child.restarts += 1
        log.error(
            "a process ended and is started again",
            name=child.name,
            code=child.process.returncode,
            restarts=child.restarts,
            pause_seconds=child.pause_seconds,
        )
        child.process = None
        child.not_before = now + child.pause_seconds
        child.pause_seconds = min(PAUSE_SECONDS_MAX, child.pause_seconds * 2)

    def _end(self) -> int:
        running = [child for child in self._children if child.process is not None and child.process.poll() is None]
        for child in running:
            assert child.process is not None  # noqa: S101  selected above
            child.process.terminate()
        deadline = clock.monotonic_seconds() + GRACE_SECONDS
        late = False
        for child in running:
            assert child.process is not None  # noqa: S101  selected above
            try:
                child.process.wait(timeout=max(0.1, deadline - clock.monotonic_seconds()))
            except subprocess.TimeoutExpired:
                log.error("a process did not end in time and is killed", name=child.name)
                child.process.kill()
                child.process.wait()
                late = True
        return 1 if late else 0


def is_supervised() -> bool:
    return SUPERVISED in os.environ


def end_with_parent() -> None:
    """A child whose parent was killed must not live on, holding the port or acting unwatched.

    Does nothing in a process that no supervisor started.
    """
    if not is_supervised():
        return
    # Not getppid(): a parent killed while this process was still importing is not its parent any more.
    parent = int(os.environ[SUPERVISED])

    def watch() -> None:
        nap = threading.Event()
        while os.getppid() == parent:
            nap.wait(LOOK_EVERY_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        nap.wait(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)  # nobody else is left to do it

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def own_children() -> None:
    """From here on, what this process starts is its child, to `end_with_parent`."""
    os.environ[SUPERVISED] = str(os.getpid())


def own_command(*arguments: str) -> list[str]:
    """This Tocsin's command line, run by the same interpreter."""
    return [sys.executable, "-m", "wsgi", *arguments]
