"""`python -m benchmarks`: all of them, one after the other."""

from __future__ import annotations

import sys

from benchmarks import alert_to_page, figures, tick_cost


def main() -> int:
    return figures.verdict(alert_to_page.run() + tick_cost.run())


if __name__ == "__main__":
    sys.exit(main())
