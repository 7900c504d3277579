"""Serving the web side with Granian: measured faster than Gunicorn on this path, and one process suffices."""

from __future__ import annotations

import socket

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from config import supervisor
from config.settings import Settings

THREADS = 8  # what waits for the database at once; more only queue there
BACKLOG = 1024
BACKPRESSURE = 64  # requests taken in at once; the rest wait in the backlog


def refuse_taken_port(settings: Settings) -> None:
    """Raises OSError if anything listens there, or where letters are taken in. Granian would share the port with another
    Tocsin without a word, and half of the alerts would go to the wrong one."""
    _refuse_taken(settings.host, settings.port, "set TOCSIN_PORT, and TOCSIN_BASE_URL with it")
    if settings.mail_listen:
        _refuse_taken(*settings.mail_address, "set TOCSIN_MAIL_LISTEN; below 1024 only root may listen")


def _refuse_taken(host: str, port: int, otherwise: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OSError(
                f"Port {port} on {host} cannot be used ({error.strerror}). Stop what listens there, or {otherwise}."
            ) from error


def serve(settings: Settings, factory: str) -> None:
    """Until SIGTERM. `factory`: `module:function` that makes the app in the worker process."""
    supervisor.own_children()  # Granian's worker is one
    Granian(
        factory,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=10,
        log_level=LogLevels.error,
        log_access=False,
    ).serve()
