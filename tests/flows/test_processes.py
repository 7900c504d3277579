"""`tocsin up` as an operator runs it: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import supervisor
from tests.fakes import slack, twilio
from tests.fakes.providers import FakeProviders
from tests.world import KEY, PHONES, team

PATIENCE_SECONDS = 90
LETTERS = f"  letters: {{policy: standard, integrations: [{{source: email, key: {'e1' * 16}}}]}}\n"
COMMANDS = {b"web": "web", b"engine": "engine", b"reconcile --loop": "reconciler", b"mail": "mail"}
MAIL_KEY = "e1" * 16


class Running:
    """One `tocsin up` with a folder, a port and providers of its own."""

    def __init__(self, folder: Path, providers: FakeProviders) -> None:
        with socket.socket() as probe, socket.socket() as other:
            probe.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            self.port, self.mail_port = probe.getsockname()[1], other.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "tocsin.yaml").write_text(team().replace("  event-store:", f"{LETTERS}  event-store:"))
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/tocsin.db",
            "CONFIG": f"{folder}/tocsin.yaml",
            "PORT": str(self.port),
            "MAIL_LISTEN": f"127.0.0.1:{self.mail_port}",
            "MAIL_DOMAIN": "pager.example.org",
            "BASE_URL": self.url,
            "BUNDLE_WINDOWS": "slack=1,sms=1",  # what comes third need not wait for twenty seconds
            "SLACK_BOT_TOKEN": slack.TOKEN,
            "SLACK_SIGNING_SECRET": slack.SIGNING_SECRET,
            "SLACK_API_URL": providers.slack_api_url,
            "TWILIO_ACCOUNT_SID": twilio.ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": twilio.AUTH_TOKEN,
            "TWILIO_FROM": twilio.SENDER,
            "TWILIO_API_URL": providers.twilio_url,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wsgi", "up"],
            env=environment | {f"TOCSIN_{name}": value for name, value in settings.items()},
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        until(self.is_ready, "tocsin to be ready", self)

    def get(self, path: str) -> tuple[int, Any]:
        return self._ask(urllib.request.Request(self.url + path))

    def alert(self, title: str, dedup_key: str) -> int:
        event = {
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": dedup_key,
            "payload": {"summary": title, "source": "test", "severity": "critical"},
        }
        request = urllib.request.Request(
            self.url + "/v2/enqueue", json.dumps(event).encode(), {"Content-Type": "application/json"}
        )
        return self._ask(request)[0]

    def letter(self, subject: str) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.mail_port, timeout=10) as client:
                client.sendmail("a@example.org", f"{MAIL_KEY}@pager.example.org", f"Subject: {subject}\n\nx".encode())
        except (OSError, smtplib.SMTPException):
            return False
        return True

    def _ask(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read())
        except OSError:
            return 0, {}

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.logged()
        return self.get("/readyz")[0] == 200

    def children(self) -> dict[str, int]:
        """Process ids of the supervisor's children, by the command each was started with."""
        found = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
                command = (status.parent / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            # Between fork and exec a child has no command line of its own yet.
            name = COMMANDS.get(b" ".join(command[3:-1]))
            if int(fields[1]) == self.process.pid and fields[0] != "Z" and name:
                found[name] = int(status.parent.name)
        return found

    def logged(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_SECONDS)
        self.log.close()


def until(condition: Callable[[], object], what: str, running: Running) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    nap = threading.Event()
    while time.monotonic() < end:
        if condition():
            return
        nap.wait(0.05)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s for {what}:\n{running.logged()[-3000:]}")


@pytest.fixture(scope="module")
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as fakes:
        yield fakes


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, providers: FakeProviders) -> Iterator[Running]:
    """One for several tests, since it takes seconds to start; the last of them ends it."""
    started = Running(tmp_path_factory.mktemp("running"), providers)
    yield started
    started.end()


@pytest.fixture
def own(tmp_path: Path, providers: FakeProviders) -> Iterator[Running]:
    started = Running(tmp_path, providers)
    yield started
    started.end()


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look at processes")


def test_what_is_killed_comes_back_and_no_page_is_lost(running: Running, providers: FakeProviders) -> None:
    assert running.alert("Observer API down", "first") == 202
    # A send in flight when the engine dies may be repeated, so texts are looked for and not counted.
    until(lambda: paged(providers, "Observer API down"), "the first page", running)

    before = running.children()["engine"]
    os.kill(before, signal.SIGKILL)
    assert running.alert("Primary database unreachable", "second") == 202
    until(lambda: paged(providers, "Primary database"), "the page that came while no engine ran", running)
    assert running.children()["engine"] != before

    until(lambda: "reconciler" in running.children(), "the reconciler, which comes after the others", running)
    before = {name: running.children()[name] for name in ("web", "reconciler", "mail")}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not before.items() & running.children().items(), "all to be started again", running)
    until(lambda: len(running.children()) == len(COMMANDS), "all to be started again", running)
    until(lambda: running.alert("Checkout is down", "third") == 202, "the web side to take alerts again", running)
    until(lambda: paged(providers, "Checkout is down"), "the page after it", running)
    until(lambda: running.letter("CRITICAL: shelf 3 is on fire"), "letters to be taken in again", running)
    until(lambda: paged(providers, "shelf 3 is on fire"), "the page for a letter", running)


def test_sigterm_ends_everything_cleanly(running: Running) -> None:
    until(lambda: set(running.children()) == {"web", "engine", "reconciler", "mail"}, "all of it to run", running)
    children = running.children()
    running.process.terminate()
    assert running.process.wait(PATIENCE_SECONDS) == 0
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]


def test_children_do_not_outlive_a_killed_supervisor(own: Running) -> None:
    children = own.children()
    own.process.kill()
    own.process.wait(PATIENCE_SECONDS)
    until(lambda: not any(_lives(pid) for pid in children.values()), "the children to end", own)
    until(lambda: own.get("/healthz")[0] == 0, "the port to be free", own)


def paged(providers: FakeProviders, title: str) -> bool:
    return any(title in text.body for text in providers.sms_to(PHONES["ana"]))


def test_a_child_whose_supervisor_died_before_it_was_up_ends_too() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(PATIENCE_SECONDS)
    script = "import threading; from config import supervisor; supervisor.end_with_parent(); threading.Event().wait()"
    child = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {supervisor.SUPERVISED: str(gone.pid)}, stdout=subprocess.PIPE
    )
    with child:
        try:
            assert child.wait(PATIENCE_SECONDS) == -signal.SIGTERM
        finally:
            child.kill()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
