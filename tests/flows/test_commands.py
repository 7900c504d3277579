"""What a command says when something is wrong: a sentence, and what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tocsin(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return subprocess.run(
        [sys.executable, "-m", "wsgi", *arguments],
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_is_refused_and_not_shared(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = tocsin("up", TOCSIN_PORT=port, TOCSIN_DATABASE_URL=f"sqlite:///{tmp_path}/t.db")
    assert said.returncode == 1
    assert f"Port {port}" in said.stderr
    assert "TOCSIN_PORT" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_database_without_tables_is_told_by_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nothing.db"
    said = tocsin("token", "create", "--responder", "ana", TOCSIN_DATABASE_URL=url)
    assert said.returncode == 1
    assert url in said.stderr
    assert "tocsin migrate" in said.stderr
    assert "Traceback" not in said.stderr


def test_settings_that_cannot_be_used_are_told_all_at_once() -> None:
    said = tocsin("verify", TOCSIN_DATABASE_URL="mysql://x", TOCSIN_PORT="ninety", TOCSIN_LOG_LEVEL="loud")
    assert said.returncode == 1
    for name in ("TOCSIN_DATABASE_URL", "TOCSIN_PORT", "TOCSIN_LOG_LEVEL"):
        assert name in said.stderr
