"""What to do after a send that failed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

BACKOFF_SECONDS = (2, 5, 15, 30, 60)  # after the first, second, … transient failure; then give up
FALL_BACK_AFTER_FAILURES = 2  # the person's next way is tried beside the failing one from here on
RETRY_AFTER_SECONDS_MAX = 120  # a provider asking for more is treated as failing for now


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """`retry_in_seconds` None: give this way up. `fall_back`: bring the person's next way forward to now."""

    retry_in_seconds: float | None
    fall_back: bool


def decide(failures: int, *, permanent: bool, retry_after_seconds: float | None = None) -> RetryDecision:
    """After the `failures`-th failed try (1 or more) of one page."""
    if permanent or failures > len(BACKOFF_SECONDS):
        return RetryDecision(None, fall_back=True)
    wait: float = BACKOFF_SECONDS[failures - 1]
    fall_back = failures >= FALL_BACK_AFTER_FAILURES
    if retry_after_seconds is not None:
        fall_back = fall_back or retry_after_seconds > wait
        wait = max(wait, min(retry_after_seconds, RETRY_AFTER_SECONDS_MAX))
    return RetryDecision(wait, fall_back)
