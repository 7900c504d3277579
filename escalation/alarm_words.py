"""What administrators are told of the reconciler's findings, and when they are told again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation.findings import Outcome

TOLD_AGAIN_AFTER = timedelta(minutes=15)  # of one kind
WELL_AFTER = timedelta(minutes=2)  # what comes and goes is not well in between
SENTENCES_MAX = 3
STANDING, WELL = "standing", "well"  # since when something stands unmended, and since when nothing does any more


@dataclass(frozen=True, slots=True)
class Telling:
    """`insist`: nobody has mended it, so each person's further ways follow at their times until somebody does."""

    subject: str
    text: str
    insist: bool


def decide(
    outcomes: Sequence[Outcome], told: Mapping[str, str], now: datetime
) -> tuple[Telling | None, dict[str, str]]:
    """What to tell now, and what has been told then: kind -> when, beside STANDING and WELL. ISO times."""
    standing = [outcome for outcome in outcomes if not outcome.done]
    after = {
        name: at
        for name, at in told.items()
        if name in (STANDING, WELL) or datetime.fromisoformat(at) > now - TOLD_AGAIN_AFTER
    }
    new = {outcome.finding.kind for outcome in outcomes} - after.keys()
    after |= dict.fromkeys(new, now.isoformat())
    if standing:
        after.pop(WELL, None)
        after.setdefault(STANDING, now.isoformat())
    elif STANDING in after:
        since = datetime.fromisoformat(after.setdefault(WELL, now.isoformat()))
        if since <= now - WELL_AFTER and not new:
            began = datetime.fromisoformat(after[STANDING])
            text = f"All is well again: what was wrong since {began:%H:%M} UTC is put right."
            return Telling("All is well again", text, insist=False), {}
    if not new:
        return None, after
    ordered = sorted(outcomes, key=lambda each: (bool(each.done), each.finding.rank))
    first = [each for each in ordered if each.finding.kind in new]
    chosen = (first + [each for each in ordered if each not in first])[:SENTENCES_MAX]
    more = len(outcomes) - len(chosen)
    said = [str(outcome) for outcome in chosen] + ([f"And {more} more." if more > 1 else "And one more."] * bool(more))
    subject = "People may not be paged" if standing else "The reconciler put something right"
    return Telling(subject, " ".join(said), insist=bool(standing)), after
