"""`python -m benchmarks`: all of them, one after the other."""

from __future__ import annotations

import sys

from benchmarks import alert_to_page, figures, storms, tick_cost


def main() -> int:
    return figures.verdict(alert_to_page.run() + tick_cost.run() + storms.run())


if __name__ == "__main__":
    sys.exit(main())
