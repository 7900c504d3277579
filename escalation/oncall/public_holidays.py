"""Which days are public holidays, and where. A place is written `PT`, or with its region `DE-BE`. Pure.

From the holidays library, which knows them by law and custom, also for years to come; a holiday that a government
decrees at short notice is known with the library's next release.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import holidays

from config import declaration


def name(place: str, day: date) -> str:
    """What is celebrated that day; "" on an ordinary one, and everywhere if there is no such place."""
    return _of_year(place, day.year).get(day, "") if place else ""


def place_problem(place: str) -> str:
    """Empty if its holidays are known."""
    known = holidays.list_supported_countries(include_aliases=True)
    country, dash, region = place.partition("-")
    if country not in known:
        shown = declaration.shown(place)
        return f'no public holidays are known for "{shown}"; write a country such as PT, or a region such as DE-BE'
    if dash and region not in known[country]:
        return (
            f'{country} has no region "{declaration.shown(region)}"; {declaration.suggestion(region, known[country])}'
        )
    return ""


@cache
def _of_year(place: str, year: int) -> dict[date, str]:
    country, _, region = place.partition("-")
    try:
        return dict(holidays.country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError:  # a place that a later version of the library has dropped: all days are ordinary
        return {}
