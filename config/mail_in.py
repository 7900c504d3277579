"""What the settings may say of letters that are taken in."""

from __future__ import annotations

import re
from pathlib import Path

_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*", re.I)
_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(?P<port>[0-9]{1,5})")


def address(written: str) -> tuple[str, int]:
    """Host and port of `0.0.0.0:25` or `[::]:2525`. Raises ValueError."""
    match = _ADDRESS.fullmatch(written)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise ValueError("it must be HOST:PORT, like 0.0.0.0:25 or [::]:2525")
    return match["host"].strip("[]"), int(match["port"])


def problems(listen: str, domain: str, certificate: str, key: str) -> list[str]:
    found: list[str] = []
    if listen:
        try:
            address(listen)
        except ValueError as wrong:
            found.append(f"TOCSIN_MAIL_LISTEN is {listen!r}; {wrong}.")
    if domain and not _DOMAIN.fullmatch(domain):
        found.append(f"TOCSIN_MAIL_DOMAIN is {domain!r}; it must be a domain alone, like pager.example.org.")
    if bool(certificate) != bool(key):
        found.append("TOCSIN_MAIL_TLS_CERT and TOCSIN_MAIL_TLS_KEY go together; one of them is missing.")
    for name, path in (("CERT", certificate), ("KEY", key)):
        if path and not Path(path).is_file():
            found.append(f"TOCSIN_MAIL_TLS_{name} names {path!r}, and there is no such file.")
    return found


def warnings(listen: str, domain: str) -> list[str]:
    """What is allowed, and most likely not meant."""
    if listen and not domain:
        return [
            "TOCSIN_MAIL_LISTEN is set without TOCSIN_MAIL_DOMAIN: letters are taken in at any domain, no address can be "
            "shown, and letters to people cannot be answered by letter. Set it to the domain whose mail comes here."
        ]
    return []
