"""The addresses people are reached at, in the one form they are stored and compared in. Pure.

Each reader takes what a person wrote and raises ValueError with what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import phonenumbers

from config import declaration

# Way to reach somebody -> its address.
WAYS = {"slack": "slack", "sms": "phone", "voice": "phone", "apprise": "apprise", "email": "email"}
# What people may add by themselves: what this server calls, only an administrator says.
OWN_WAYS = {way: key for way, key in WAYS.items() if way != "apprise"}

EMAIL_CHARACTERS_MAX = 320

_EMAIL = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,255}")
_SLACK_MEMBER = re.compile(r"[UW][A-Z0-9]{2,20}")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,30}://[^\s]{1,280}", re.IGNORECASE)
_PHONE = re.compile(r"\+[0-9][0-9 ().-]{4,30}")  # without the letters and extensions that phonenumbers would read


def read_email(written: str) -> str:
    """In lower case: no mail system in use tells people apart by case, and two people must not share one."""
    if not _EMAIL.fullmatch(written):
        raise ValueError(f'"{declaration.shown(written)}" is not an e-mail address')
    return written.lower()


def read_slack_member(written: str) -> str:
    if not _SLACK_MEMBER.fullmatch(written):
        raise ValueError(
            f'"{declaration.shown(written)}" is not a Slack member id such as U012AB3CD (Slack: profile, Copy member ID)'
        )
    return written


def read_phone(written: str) -> str:
    """E.164. The number must be possible in its country; it need not be assigned, so that test numbers pass."""
    if _PHONE.fullmatch(written):
        try:
            number = phonenumbers.parse(written)
        except phonenumbers.NumberParseException:
            number = None
        possible = phonenumbers.ValidationResult.IS_POSSIBLE
        if number and phonenumbers.is_possible_number_with_reason(number) == possible:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise ValueError(
        f'"{declaration.shown(written)}" is not a phone number with + and its country code, such as +351910000001'
    )


def read_apprise(written: str) -> str:
    """Never quoted: it holds tokens."""
    if not _URL.fullmatch(written):
        raise ValueError("is not an Apprise URL such as ntfy://host/topic")
    return written


def shown(channel: str, address: str) -> str:
    """As it may be said and kept: of an address that may hold a secret the beginning alone."""
    if channel not in ("apprise", "webhook"):
        return address
    parts = urlsplit(address)
    host = f"{parts.hostname or ''}/" if channel == "webhook" else ""
    return f"{parts.scheme}://{host}…"


READERS: dict[str, Callable[[str], str]] = {
    "email": read_email,
    "slack": read_slack_member,
    "phone": read_phone,
    "apprise": read_apprise,
}
