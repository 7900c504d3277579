"""What is under version control works on any machine, and is installed as it was checked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.rules import house

LOCK = Path("requirements.lock")
# Folders of one machine or one person; the brackets keep this line from finding itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:work|farm|home|root|Users)/[\w.]")
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)(\[[\w,-]+\])?==\S+", re.I)
TEXT = {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".json", ".html", ".css", ".txt", ".mako", ".svg", ".ini", ""}


def test_no_file_names_a_folder_of_one_machine() -> None:
    found = [
        f"{file}:{number}"
        for file in house.files()
        if file.suffix in TEXT
        for number, line in enumerate(house.text(file).splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_every_locked_requirement_has_a_hash() -> None:
    entries = re.sub(r"\\\n\s*", " ", house.text(LOCK)).splitlines()
    locked = [entry for entry in entries if entry and not entry.startswith("#")]
    assert len(locked) > 30
    assert [entry for entry in locked if not REQUIREMENT.match(entry) or "--hash=sha256:" not in entry] == []


def test_the_lock_names_no_place_to_download_from() -> None:
    assert [
        line for line in house.text(LOCK).splitlines() if "://" in line or " @ " in line or "index-url" in line
    ] == []


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads(house.text(Path("pyproject.toml")))
    groups = project["dependency-groups"].values()
    declared = {
        _name(each) for each in (*project["project"]["dependencies"], *(each for group in groups for each in group))
    }
    locked = {_name(line) for line in house.text(LOCK).splitlines() if REQUIREMENT.match(line)}
    assert declared - locked == set()


def test_every_declared_dependency_has_bounds() -> None:
    """Of what runs in earnest: a new major version is taken on purpose."""
    project = tomllib.loads(house.text(Path("pyproject.toml")))
    calendar = {"tzdata"}  # its versions are dates
    unbounded = [each for each in project["project"]["dependencies"] if "<" not in each and _name(each) not in calendar]
    assert unbounded == []


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()
