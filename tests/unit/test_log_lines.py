from __future__ import annotations

import sys

import pytest

from config import logs


@pytest.mark.parametrize("for_people", [True, False])
def test_a_fault_is_logged_without_what_the_functions_had_in_hand(for_people: bool) -> None:
    """A letter, an address or a token would be in it."""
    written = _written(for_people, "e1" * 16)
    assert "ValueError: cannot be read" in written
    assert "e1e1" not in written


def _written(for_people: bool, key: str) -> str:
    try:
        raise ValueError(f"cannot be read{key[:0]}")
    except ValueError:
        event = {"event": "a letter could not be taken", "level": "error", "exc_info": sys.exc_info()}
    written: object = event
    for render in logs._renderers(for_people):
        written = render(None, "error", written)  # type: ignore[arg-type]  # the last one gives text
    return str(written)
