"""A started Tocsin: `tocsin up` in a process of its own, on a fresh database, with one responder paged by SMS."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEY = "b1" * 16
READY_WITHIN_SECONDS = 60
ENDS_WITHIN_SECONDS = 30

TEAM = f"""
responders:
  ana:
    name: Ana Lima
    phone: "+15005550101"
    page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: sms}}]}}
schedules:
  primary: {{timezone: UTC, rotations: [{{members: [ana], starts: "2026-01-05T00:00", turn: 1w}}]}}
policies:
  standard:
    levels:
      - {{level: 1, after: 0m, page: ["schedule:primary"], announce: ["slack:#incidents"]}}
      - {{level: 2, after: 30m, page: ["schedule:primary"]}}
services:
  checkout: {{policy: standard, integrations: [{{source: pagerduty, key: "{KEY}"}}]}}
last_resort: ["responder:ana"]
"""


@dataclass(frozen=True, slots=True)
class Running:
    port: int
    log: Path
    session: int  # of the system's sessions: all processes of this Tocsin are in it, and nothing else

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time of each process so far, `web`, `engine` and what is above them; nothing where there is no /proc."""
        spent: dict[str, float] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_text().rstrip("\0").split("\0")
            except OSError:  # it ended meanwhile
                continue
            if int(fields[3]) == self.session:
                name = command[-1] if command[-1] in ("web", "engine") else "other"
                ticks = int(fields[11]) + int(fields[12])
                spent[name] = spent.get(name, 0.0) + ticks / os.sysconf("SC_CLK_TCK")
        return spent


@contextmanager
def up(
    folder: Path, database_url: str, provider_url: str, *, team: str = TEAM, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Started and ready; stopped at the end as an operator would stop it. `settings`: further ones, without TOCSIN_."""
    folder.mkdir(parents=True)
    port = _free_port()
    declared = folder / "tocsin.yaml"
    declared.write_text(team)
    log_file = folder / "up.log"
    command = [str(Path(sys.executable).with_name("tocsin")), "up"]
    environment = _environment(declared, port, database_url, provider_url)
    environment |= {f"TOCSIN_{name}": value for name, value in (settings or {}).items()}
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        running = Running(port, log_file, process.pid)
        try:
            _wait_until_ready(process, running)
            yield running
        finally:
            _stop(process)


def _environment(declared: Path, port: int, database_url: str, provider_url: str) -> dict[str, str]:
    """Nothing of the settings that happen to be in the shell."""
    settings = {
        "DATABASE_URL": database_url,
        "CONFIG": str(declared),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "benchmarks-only-0123456789abcdef0123456789abcdef",
        "SLACK_BOT_TOKEN": "xoxb-benchmarks",
        "SLACK_SIGNING_SECRET": "benchmarks",
        "SLACK_API_URL": f"{provider_url}/api/",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "benchmarks",
        "TWILIO_FROM": "+15005550006",
        "TWILIO_API_URL": provider_url,
        "LOG_LEVEL": "WARNING",
    }
    outside = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return outside | {f"TOCSIN_{name}": value for name, value in settings.items()}


def _wait_until_ready(process: subprocess.Popen[bytes], running: Running) -> None:
    end = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"tocsin up ended with {process.returncode}:\n{running.log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:  # nobody listens yet, or it says that it is not ready
            pass
        time.sleep(0.1)
    raise SystemExit(f"tocsin up was not ready in {READY_WITHIN_SECONDS} s:\n{running.log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
