"""Who messages and calls by Twilio come from: `+15005550006,GB=+447700900001,voice=+15005550007`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import phonenumbers

VOICE = "voice"
POOL_PREFIX = "MG"  # a messaging service: a pool of numbers that texts and cannot call

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_POOL = re.compile(r"MG[0-9a-fA-F]{32}")
_SHORT = re.compile(r"[0-9]{3,8}")
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Senders:
    """`default` is used wherever no country's own is; `voice`, if there is one, makes all calls."""

    default: str
    by_country: Mapping[str, str] = field(default_factory=dict)
    voice: str = ""

    def texts(self, to: str) -> str:
        return self.by_country.get(country(to), self.default)

    def calls(self, to: str) -> str:
        """Empty: none of them can call."""
        usable = (each for each in (self.voice, self.texts(to), self.default) if _NUMBER.fullmatch(each))
        return next(usable, "")


def read(text: str) -> Senders:
    """Raises ValueError with every problem, a line each."""
    default, voice, by_country = "", "", dict[str, str]()
    problems: list[str] = []
    for part in (each.strip() for each in text.split(",") if each.strip()):
        place, given, sender = (each.strip() for each in part.rpartition("="))
        if not (_NUMBER.fullmatch(sender) or _POOL.fullmatch(sender) or _SHORT.fullmatch(sender)):
            # A name of letters would do in some countries, but nobody could reply to it.
            problems.append(f"{sender!r} is no sender that can be replied to; use a number with + or a service (MG…)")
        elif not given:
            problems += [f"{part!r} is a second default; write the country before it, as GB={part}"] if default else []
            default = default or sender
        elif place == VOICE:
            problems += [] if _NUMBER.fullmatch(sender) else [f"{part!r}: calls come from a number with +"]
            voice = sender
        elif not _COUNTRY.fullmatch(place) or place not in phonenumbers.SUPPORTED_REGIONS:
            problems.append(f"{place!r} is no country's two letters, as GB or PT, nor {VOICE}")
        elif place in by_country:
            problems.append(f"{place} is given twice")
        else:
            by_country[place] = sender
    if not default and not problems:
        problems.append("needs a sender without a country too, for everywhere else")
    if problems:
        raise ValueError("\n".join(problems))
    return Senders(default, by_country, voice)


def country(number: str) -> str:
    """Two letters; empty if the number's country cannot be told."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(parsed) or ""
