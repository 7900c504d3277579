"""Tells somebody outside that all is well. When that stays out, they raise the alarm: it works though all of this is dead.

The address is told when, and only when, the newest reconciliation passed and is fresh. The engine tells it, so that
silence means that the engine, the reconciler, the database or the way out has failed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from config import http, logs
from config.database import Database
from escalation.paging import reconciled

EVERY_SECONDS = 60.0
FIRST_AFTER_SECONDS = 20.0  # the reconciler's first round comes before
TIMEOUT_SECONDS = 5.0

log = logs.get("watchdog")


class Watchdog:
    def __init__(self, database: Database, url: str, read_clock: Callable[[], datetime]) -> None:
        self._database = database
        self._url = url
        self._read_clock = read_clock

    def ping(self) -> bool:
        """Whether the address was told, and answered. Never raises."""
        try:
            with self._database.reading() as session:
                passed = reconciled.passed(session, self._read_clock())
        except http.DATABASE_AWAY as away:
            log.warning("the watchdog is not told: the database does not answer", error=str(away))
            return False
        if not passed:
            log.error("the watchdog is not told: the newest reconciliation did not pass, or there is none")
            return False
        try:
            httpx.get(self._url, timeout=TIMEOUT_SECONDS).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Not its address, which is a secret by itself.
            host = urlsplit(self._url).hostname
            log.warning("the watchdog did not hear that all is well", host=host, error=type(error).__name__)
            return False
        return True
