"""Figures, their limits, and how both are printed."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `limit` None: information, held against nothing."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def is_over(self) -> bool:
        return self.limit is not None and not self.value <= self.limit  # not a number is over every limit

    def line(self) -> str:
        number = f"{self.value:,.0f}" if float(self.value).is_integer() else f"{self.value:,.2f}"
        said = f"  {self.name:<46} {number:>9} {self.unit:<5}"
        if self.limit is None:
            return said.rstrip()
        return f"{said} limit {self.limit:>6g}   {'OVER' if self.is_over else 'ok'}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of them do not exceed; not a number for none."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def show(title: str, figures: Iterable[Figure]) -> int:
    """Print them; how many are over their limit."""
    print(title)
    over = 0
    for figure in figures:
        print(figure.line())
        over += figure.is_over
    sys.stdout.flush()
    return over


def verdict(over: int) -> int:
    """The last line and the exit code."""
    print(
        "Within every limit." if not over else f"{over} {'figure is' if over == 1 else 'figures are'} over the limit."
    )
    return 1 if over else 0
