"""The folder of runbooks, kept in memory.

It reads files and nothing else, so that runbooks are readable while the database is down. What was once read stays: a
file that has become unreadable, or a folder that has gone, does not take the last good copy away from people who are
in the middle of it. Only a file removed from a folder that can be read, and holds others, leaves the shelf.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from runbook_links import document
from runbook_links.document import Runbook

FILES_MAX = 500
PATHS_MAX = 10_000
FILE_BYTES_MAX = 1_048_576

REFRESH_EVERY_SECONDS = 15.0

_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ShelfProblem:
    """A file, or the folder itself, that could not be read. `kept` says that an earlier copy is served in its place."""

    file: str
    message: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Library:
    """One state of the folder. `documents` also holds the index and the template, by file name without .md."""

    documents: Mapping[str, Runbook] = field(default_factory=dict)
    previous: Mapping[str, Runbook] = field(default_factory=dict)  # before the last change of each; for the linter
    paths: frozenset[str] = frozenset()  # every file of the folder and below, relative to it
    problems: tuple[ShelfProblem, ...] = ()

    @property
    def runbooks(self) -> tuple[Runbook, ...]:
        """By file name, without the index and the template."""
        return tuple(each for _, each in sorted(self.documents.items()) if each.is_runbook)

    @property
    def index(self) -> Runbook | None:
        return next((each for each in self.documents.values() if each.category == "index"), None)

    @property
    def template(self) -> Runbook | None:
        return next((each for each in self.documents.values() if each.category == "template"), None)

    def get(self, runbook_id: str) -> Runbook | None:
        """By id; of two files with one id, the first by name."""
        return next((each for each in self.runbooks if each.id == runbook_id), None)


class Shelf:
    """Serves the runbooks of one folder. Safe to use from several threads: a refresh replaces the library whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._library = Library()
        self._stamps: dict[str, _Stamp] = {}
        self._refreshing = threading.Lock()
        self.refresh()

    @property
    def library(self) -> Library:
        """As of the last refresh. Never raises, never reads."""
        return self._library

    def refresh(self) -> Library:
        """Read what is new or changed. Never raises for what the folder holds; see the library's problems."""
        with self._refreshing:
            self._library = self._read()
            return self._library

    def keep_fresh(self, every_seconds: float = REFRESH_EVERY_SECONDS) -> None:
        """Refresh from time to time in the background, so that an edited runbook needs no restart."""

        def look() -> None:
            nap = threading.Event()
            while not nap.wait(every_seconds):
                self.refresh()

        threading.Thread(target=look, name="shelf", daemon=True).start()

    def _read(self) -> Library:
        before = self._library
        try:
            here = sorted(self.folder.iterdir())
            found = [file for file in here if file.suffix == ".md" and file.is_file()]
        except OSError as error:
            return self._kept(f"the folder cannot be read: {error}")
        if not found:  # an unmounted folder looks empty
            return self._kept("the folder holds no runbook")
        documents: dict[str, Runbook] = {}
        previous = dict(before.previous)
        problems: list[ShelfProblem] = []
        for file in found[:FILES_MAX]:
            name, old = file.stem, before.documents.get(file.stem)
            try:
                documents[name] = self._load(file, old)
            except (OSError, document.RunbookError) as error:
                problems.append(ShelfProblem(file.name, str(error), kept=old is not None))
                if old is not None:
                    documents[name] = old
            if old is not None and old.sha256 != documents[name].sha256:
                previous[name] = old
        if len(found) > FILES_MAX:
            message = f"more than {FILES_MAX} runbooks: those from {found[FILES_MAX].name} on are not read"
            problems.append(ShelfProblem(str(self.folder), message, kept=False))
        return Library(
            documents=documents,
            previous={name: each for name, each in previous.items() if name in documents},
            paths=frozenset(islice(_paths(self.folder), PATHS_MAX)),
            problems=tuple(problems),
        )

    def _kept(self, message: str) -> Library:
        """The library as it was: whoever is reading it goes on reading."""
        before = self._library
        return replace(before, problems=(ShelfProblem(str(self.folder), message, kept=bool(before.documents)),))

    def _load(self, file: Path, old: Runbook | None) -> Runbook:
        status = file.stat()
        stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        if old is not None and self._stamps.get(file.name) == stamp:
            return old
        if status.st_size > FILE_BYTES_MAX:
            raise document.RunbookError(f"{file.name} is larger than {FILE_BYTES_MAX} bytes")
        read = _parse(file.read_bytes(), file.stem)
        self._stamps[file.name] = stamp
        return read


def _paths(folder: Path) -> Iterator[str]:
    """Every file, relative to the folder. Hidden folders are left out: a checkout's `.git` holds thousands."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        yield from ((Path(root) / file).relative_to(folder).as_posix() for file in files)


def _parse(content: bytes, name: str) -> Runbook:
    """Bytes that are no UTF-8 are shown as � and reported by the linter: most of such a runbook can still be read."""
    read = document.parse(content.decode("utf-8", "replace"), name=name)
    return replace(read, sha256=hashlib.sha256(content).hexdigest())
