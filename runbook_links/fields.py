"""What each key of a runbook's front matter may hold. Pure: values in, problems out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from runbook_links import periods
from runbook_links.front_matter import FrontMatter, Problem

CATEGORIES = ("ritual", "runbook", "operation", "index", "template")
CLASSES = ("operational", "constitutional", "mixed")
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
FREQUENCIES = ("daily", "weekly", "monthly", "on-demand")
AUTOMATION_LEVELS = ("manual", "assisted", "semi-auto", "full-auto")
RECERT_STATUSES = ("certified", "due", "in-review", "overdue", "expired")  # from best to worst
EXERCISES = ("dry-run", "staging", "canary", "load", "chaos", "live")
EPIC_MAX = 8

# Required of every runbook. `owner` is not here: RB041 asks for it.
REQUIRED = (
    *("id", "title", "category", "class", "severities", "services", "triggers", "contacts", "version"),
    *("last_updated", "next_review", "active", "frequency", "automation_level", "recert"),
)
REQUIRED_OF_RECERT = ("status", "certified_on", "certified_by", "period", "record_url")
MAY_BE_EMPTY = ("services", "triggers")  # a start-up procedure serves every service, and no alert calls for it
MUST_BE_QUOTED = ("version", "last_updated", "next_review", "created", "recert.certified_on", "last_exercised.date")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?")

Check = Callable[[Any], str]  # what the value should have been; "" when it is that


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else 'text: put it in quotes, `"…"`'


def _slug(value: Any) -> str:
    return "" if isinstance(value, str) and _SLUG.fullmatch(value) else "lower-case words joined by `-`"


def _one_of(*allowed: str) -> Check:
    return lambda value: "" if value in allowed else f"one of {', '.join(allowed)}"


def _day(value: Any) -> str:
    return "" if isinstance(value, str) and periods.day(value) else 'a date in quotes, `"YYYY-MM-DD"`'


def _moment(value: Any) -> str:
    known = isinstance(value, str) and _MOMENT.fullmatch(value) and periods.day(value[:10])
    return "" if known else 'a date in quotes, `"YYYY-MM-DD"`'


def _period(value: Any) -> str:
    return "" if isinstance(value, str) and periods.period(value) else 'an ISO 8601 duration in quotes, such as `"P1M"`'


def _hold(value: Any) -> str:
    found = periods.period(value) if isinstance(value, str) else None
    return "" if found and found.as_timedelta else 'a duration in days or hours in quotes, such as `"P2D"`'


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _epic(value: Any) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return "" if whole and 0 <= value <= EPIC_MAX else f"a whole number from 0 to {EPIC_MAX}"


def _list_of(check: Check) -> Check:
    def checked(value: Any) -> str:
        if not isinstance(value, list):
            return "a list, `[one, two]`"
        return next((f"a list in which each item is {wrong}" for wrong in map(check, value) if wrong), "")

    return checked


def _approval(value: Any) -> str:
    shape = "{action: name, roles: [role, role], min: 2}"
    if not isinstance(value, Mapping) or not isinstance(value.get("action"), str):
        return shape
    roles, least = value.get("roles"), value.get("min")
    named = isinstance(roles, list) and bool(roles) and all(isinstance(role, str) for role in roles)
    return "" if named and isinstance(least, int) and not isinstance(least, bool) else shape


CHECKS: Mapping[str, Check] = {
    "id": _slug,
    "title": _text,
    "category": _one_of(*CATEGORIES),
    "class": _one_of(*CLASSES),
    "epic": _epic,
    "severities": _list_of(_one_of(*SEVERITIES)),
    "services": _list_of(_text),
    "triggers": _list_of(_text),
    "keywords": _list_of(_text),
    "owner": _text,
    "contacts": _list_of(_text),
    "version": _text,
    "created": _moment,
    "last_updated": _day,
    "next_review": _day,
    "active": _flag,
    "frequency": _one_of(*FREQUENCIES),
    "automation_level": _one_of(*AUTOMATION_LEVELS),
    "governance_refs": _list_of(_text),
    "approvals": _list_of(_approval),
    "min_hold": _hold,
    "tags": _list_of(_text),
    "recert.status": _one_of(*RECERT_STATUSES),
    "recert.certified_on": _day,
    "recert.certified_by": _text,
    "recert.period": _period,
    "recert.record_url": _text,
    "last_exercised.date": _day,
    "last_exercised.kind": _one_of(*EXERCISES),
    "last_exercised.incident": _text,
}
_BLOCKS = ("recert", "last_exercised")


def problems(front: FrontMatter) -> list[Problem]:
    """RB003 for each value of the wrong kind. Absent values are RB002's, and what YAML misread is already reported."""
    found: list[Problem] = []
    for path, check in CHECKS.items():
        value, line = at(front.values, path), front.line_of.get(path, 1)
        if value is None or is_placeholder(value) or path in front.misread:
            continue
        wrong = check(value)
        if not wrong and path in MUST_BE_QUOTED and path in front.plain:
            wrong = f'in quotes, `{path.rpartition(".")[2]}: "{value}"`, or the next edit may turn it into a number'
        if wrong:
            found.append(Problem("RB003", f"`{path}` must be {wrong}; it is `{_shown(value)}`", line, _shown(value)))
    found += [
        Problem("RB003", f"`{block}` must be a mapping, `{{key: value}}`", front.line_of.get(block, 1))
        for block in _BLOCKS
        if front.values.get(block) is not None and not isinstance(front.values[block], Mapping)
    ]
    return found


def at(values: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted path; None when any part of the way is missing."""
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


_PLACEHOLDER = re.compile(
    r"\[[^\]]*\]|<[^>]*>|\{\{.*\}\}|tb[dac]|to ?do|fix ?me|change ?me|placeholder|your[- ](?:team|name|role|phone|mail)|x{3,}|\?+|…|\.{3}|-+|n/?a",
    re.IGNORECASE,
)
_PLACEHOLDER_DATE = re.compile(r"Y{4}-M{2}-D{2}|\bYYYY\b", re.IGNORECASE)


def is_placeholder(value: Any) -> bool:
    """A value that stands where a real one belongs: `[Team/Role]`, TBD, YYYY-MM-DD."""
    if not isinstance(value, str):
        return False
    bare = value.strip().strip("`*_")
    return bool(_PLACEHOLDER.fullmatch(bare) or _PLACEHOLDER_DATE.search(bare))


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, list):
        text = f"[{', '.join(map(str, value))}]"
    return text if len(text) <= 60 else text[:59] + "…"
