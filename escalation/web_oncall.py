"""On-call and policies in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from escalation.channels import names
from escalation.directory import LevelShown, PolicyShown, Watch
from escalation.policies import Target
from escalation.web_times import span

PLURALS = {"responder": "every responder", "manager": "every manager", "keeper": "every keeper", "admin": "every admin"}


@dataclass(frozen=True, slots=True)
class Turn:
    """A schedule now, and who has it after the next change."""

    watch: Watch
    next_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelInWords:
    level: int
    when: str
    pages: str
    announces: str  # "": nowhere


def level_in_words(level: LevelShown, names: Mapping[str, str]) -> LevelInWords:
    """`names`: responder key -> name."""
    hours = [
        f"only during {level.during}" if level.during else "",
        f"not during {level.outside}" if level.outside else "",
    ]
    pages = listed([target_in_words(written, names) for written in level.page]) or "nobody"
    return LevelInWords(
        level=level.level,
        when=", ".join(filter(None, (after(level.after_seconds), *hours))),
        pages=f"one in turn of {pages}" if level.round_robin else pages,
        announces=listed([_place(written) for written in level.announce]),
    )


def after(seconds: float) -> str:
    return f"after {span(timedelta(seconds=seconds))}" if seconds else "at once"


def target_in_words(written: str, names: Mapping[str, str]) -> str:
    target = Target.parse(written)
    if target.kind == "schedule":
        return f"whoever is on call for {target.key}"
    if target.kind == "role":
        return PLURALS.get(target.key, f"everyone with the role {target.key}")
    return names.get(target.key, target.key)


def ending(policy: PolicyShown, last_resort: str) -> str:
    """What comes when all levels have fired and nobody has answered."""
    again = ""
    if policy.repeat:
        times = "once more" if policy.repeat == 1 else f"{policy.repeat} more times"
        distance = span(timedelta(seconds=policy.repeat_after_seconds))
        again = f"the levels begin anew {times}, {distance} after the last one; then "
    several = f" It stops when {policy.acknowledgements} people have it." if policy.acknowledgements > 1 else ""
    then = f"the last resort is called until somebody does: {last_resort or 'nobody'}."
    return f"If still nobody answers, {again}{then}{several}"


def listed(words: list[str]) -> str:
    """a, b and c."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _place(written: str) -> str:
    channel, _, address = written.partition(":")
    return f"{names.name(channel)} {address}"
