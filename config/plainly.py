"""What goes wrong in a command is told in a sentence, not in a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import InterfaceError, OperationalError

from config.errors import SettingsError, TocsinError

FAILED = 1


@contextmanager
def told() -> Iterator[None]:
    """Ends the process with one sentence for what a person can do something about; anything else is a fault of ours
    and keeps its traceback."""
    try:
        yield
    except (TocsinError, SettingsError) as refused:
        _end(str(refused))
    except (OperationalError, InterfaceError) as away:
        _end(f"The database does not answer: {away.orig}. Is TOCSIN_DATABASE_URL right, and is it running?")
    except OSError as error:
        _end(str(error))


def _end(sentence: str) -> None:
    sys.stderr.write(f"Error: {sentence}\n")
    sys.exit(FAILED)
