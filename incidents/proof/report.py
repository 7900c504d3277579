"""What a verification found, for people and for programs. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from incidents.proof import chain
from incidents.proof.checks import Problem

PROBLEMS_SHOWN = 10


class Verdict(StrEnum):
    VERIFIED = "VERIFIED"
    UNSEALED = "VERIFIED WITH UNSEALED ENTRIES"
    BROKEN = "BROKEN"
    CANNOT_VERIFY = "CANNOT VERIFY"


EXIT_CODES = {Verdict.VERIFIED: 0, Verdict.UNSEALED: 0, Verdict.BROKEN: 1, Verdict.CANNOT_VERIFY: 2}

UNSEALED_MEANS = (
    "Unsealed: no signed checkpoint covers these entries. Inside, the record agrees with itself: nothing was changed, "
    "removed from the middle, inserted or reordered without recomputing what follows. Somebody with write access to "
    "the database could still have deleted the newest entries, or rewritten entries together with every hash after "
    "them, and this check would not see it. Keep the head somewhere they cannot write, and compare with it next time."
)


@dataclass(frozen=True, slots=True)
class Verification:
    """`problems` are ordered by their place in the record and may be fewer than `problem_count`."""

    entries: int = 0
    incidents: int = 0
    first_seq: int | None = None  # in the record
    last_seq: int | None = None
    head: str = chain.GENESIS  # global_hash of the last entry
    noted_seq: int = 0  # up to here an earlier note of the head, handed to the check, vouches for the entries
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    unreadable: str = ""  # why the check could not be finished

    @property
    def unsealed(self) -> int:
        return max(0, self.entries - self.noted_seq)

    @property
    def verdict(self) -> Verdict:
        if self.problem_count:
            return Verdict.BROKEN
        if self.unreadable:
            return Verdict.CANNOT_VERIFY
        return Verdict.UNSEALED if self.unsealed else Verdict.VERIFIED

    @property
    def headline(self) -> str:
        if self.verdict is Verdict.UNSEALED:
            noun = "ENTRY" if self.unsealed == 1 else "ENTRIES"
            return f"VERIFIED WITH {self.unsealed} UNSEALED {noun}"
        return str(self.verdict)

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": str(self.verdict),
            "headline": self.headline,
            "exit_code": self.exit_code,
            "entries": self.entries,
            "unsealed": self.unsealed,
            "incidents": self.incidents,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "head": self.head,
            "problem_count": self.problem_count,
            "problems": [asdict(problem) for problem in self.problems],
            "unreadable": self.unreadable,
            "text": text(self),
        }


def text(found: Verification) -> str:
    """As `tocsin verify` prints it, and the web shows it."""
    lines = [found.headline]
    if found.entries:
        incidents = "1 incident" if found.incidents == 1 else f"{found.incidents} incidents"
        entries = "1 entry" if found.entries == 1 else f"{found.entries} entries"
        lines += [
            f"Checked {entries} of {incidents}: record {found.first_seq} to {found.last_seq}.",
            f"Head: record {found.last_seq} · {found.head}",
        ]
    elif not found.unreadable:
        lines.append("No entries are recorded.")
    if found.noted_seq and not found.problem_count:
        lines.append(f"The record still holds everything up to the noted head, record {found.noted_seq}.")
    if found.problem_count:
        lines += _broken(found)
    if found.unreadable:
        lines.append(f"The check could not be finished: {found.unreadable}")
    if found.verdict is Verdict.UNSEALED:
        lines.append(UNSEALED_MEANS)
    return "\n".join(lines)


def _broken(found: Verification) -> list[str]:
    count = "1 check failed" if found.problem_count == 1 else f"{found.problem_count} checks failed"
    lines = [f"{count}. The first:"]
    lines += [f"  {describe(problem)}" for problem in found.problems[:PROBLEMS_SHOWN]]
    if found.problem_count > PROBLEMS_SHOWN:
        lines.append(f"  … and {found.problem_count - PROBLEMS_SHOWN} more.")
    lines.append("Keep the database as it is, and a copy of it, until people have looked. Do not repair the record.")
    return lines


def describe(problem: Problem) -> str:
    """One line: where, which check, what."""
    if problem.global_seq is not None:
        where = f"record {problem.global_seq}"
        if problem.incident is not None and problem.seq is not None:
            where += f" (incident {problem.incident}, entry {problem.seq})"
    elif problem.incident is not None:
        where = f"incident {problem.incident}"
    else:
        where = "the record"
    return f"{where}: {problem.check}: {problem.detail}."
