"""The account of the machine that a command runs under: who did it, as far as anybody can know."""

from __future__ import annotations

import getpass
import os


def name() -> str:
    """A container's may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
