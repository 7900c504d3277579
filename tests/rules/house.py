"""The project's files, as the house rules look at them."""

from __future__ import annotations

import ast
import io
import os
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "escalation", "runbook_links", "incidents")  # each may import those before it
PRODUCT = (*PACKAGES, "migrations", "wsgi.py")
NOT_OURS = {"__pycache__", "var", "build", "dist"}  # made by running and packing
SHOWN_FOLDERS = {".ci"}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root: what is or should be under version control."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(each for each in folders if _is_ours(each))
        # In a worktree `.git` is a file that says where the repository is.
        found += [(Path(folder) / name).relative_to(ROOT) for name in sorted(names) if name != ".git"]
    return tuple(found)


def _is_ours(folder: str) -> bool:
    if folder.startswith("."):
        return folder in SHOWN_FOLDERS
    return folder not in NOT_OURS and not folder.endswith(".egg-info")


def modules(*places: str) -> Iterator[Path]:
    """Python files below these folders (or these files themselves), relative to the root."""
    return (each for each in files() if each.suffix == ".py" and each.parts[0] in places)


@cache
def text(file: Path) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(text(file), filename=str(file))


def comments(file: Path) -> Iterator[tuple[int, str]]:
    """(line, comment)."""
    for token in tokenize.generate_tokens(io.StringIO(text(file)).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def by_name() -> dict[str, Path]:
    return {module_name(file): file for file in modules(*PRODUCT)}


@cache
def imported(file: Path) -> frozenset[str]:
    """Full names of the modules that this one imports, wherever in it. A name imported from a package counts as a
    module where there is one of that name."""
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            there = inner & by_name().keys()
            found |= there if there and len(there) == len(inner) else there | {node.module}
    return frozenset(found)


def reached_from(file: Path) -> frozenset[str]:
    """What this module imports, and what those of our modules that it imports do in turn."""
    seen: set[str] = set()
    waiting = [file]
    while waiting:
        for name in imported(waiting.pop()) - seen:
            seen.add(name)
            if name in by_name():
                waiting.append(by_name()[name])
    return frozenset(seen)
