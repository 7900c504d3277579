"""What an edit changes for whom, in a sentence for each person: for whoever makes the edit. Pure.

What the people themselves are told is `words`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from escalation.oncall import words
from escalation.oncall.differences import Moved

TOLD_MAX = 4  # of one person's shifts


def by_person(moved: Mapping[str, Sequence[Moved]], ahead: timedelta) -> Iterator[str]:
    """By key; times in UTC. `ahead`: how far was looked."""
    for responder, moves in sorted(moved.items()):
        amounts = [f"{_amount(moves, comes)} {word}" for comes, word in ((True, "more"), (False, "less"))]
        said = " and ".join(each for each in amounts if not each.startswith("0 "))
        times = [
            f"{'+' if move.comes else '-'} {move.schedule} {words.span(move.starts_at, move.ends_at, 'UTC')}"
            for move in moves[:TOLD_MAX]
        ]
        more = f" and {len(moves) - TOLD_MAX} more" if len(moves) > TOLD_MAX else ""
        yield f"{responder}: {said} on call in the next {ahead.days} days: {'; '.join(times)}{more} (UTC)"


def _amount(moves: Sequence[Moved], comes: bool) -> str:
    """Of time that came, or of time that went."""
    spans = (move.ends_at - move.starts_at for move in moves if move.comes == comes)
    hours = sum(spans, timedelta()).total_seconds() / 3600
    return f"{hours / 24:.3g} days" if hours >= 48 else f"{hours:.3g} h"
