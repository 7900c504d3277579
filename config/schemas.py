"""What the schemas of the HTTP API have in common: strict bodies, texts that can be stored, times, lists in pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from config.clock import utc_text

PAGE_DEFAULT = 50
PAGE_MAX = 200
CURSOR_CHARACTERS_MAX = 500
NUMBER_MAX = 2**63 - 1  # of a row in either database; a larger one would be an error there, and names nothing
YEARS = range(1970, 2900)  # times asked about; reckoning a year on stays within what a datetime can hold

Item = TypeVar("Item")


class Strict(Schema):
    """A body or a query: what is not in it is refused by name, so that a slip of the pen is not taken for a wish."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """Text that both databases can keep: without NUL and without half of a surrogate pair. Not blank if required."""

    def __init__(self, *, characters_max: int, **more: Any) -> None:
        self.characters_max = characters_max
        super().__init__(validate=validate.Length(max=characters_max), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **more)
        if "\0" in text:
            raise ValidationError("must not contain NUL characters")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValidationError("is not valid Unicode: it contains half of a surrogate pair") from None
        if self.required and not text.strip():
            raise ValidationError("must not be blank")
        return text


class Moment(fields.DateTime):
    """RFC 3339. Given out in UTC with a Z; taken with any offset, and not without one."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> str | None:
        return None if value is None else utc_text(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> datetime:
        # The + of an offset arrives as a space where somebody did not encode it in a URL.
        moment = super()._deserialize(value.replace(" ", "+") if isinstance(value, str) else value, attr, data, **more)
        if moment.tzinfo is None:
            raise ValidationError("needs an offset, as in 2026-11-02T03:12:00Z")
        if moment.year not in YEARS:
            raise ValidationError(f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
        return moment.astimezone(UTC)


class Cursor(fields.Field[Any]):
    """Where a list goes on: the sort key of the last item given out. Callers pass on what they got as `next`.

    `of` names the list, so that one list's cursor is not taken for another's.
    """

    def __init__(self, *, of: str, position: type[int] | type[str], **more: Any) -> None:
        self.of, self.position = of, position
        super().__init__(metadata={"type": "string", "description": "`next` of the page before"}, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> int | str:
        position = read_cursor(self.of, value) if isinstance(value, str) else None
        is_sound = type(position) is self.position and (not isinstance(position, int) or 0 <= position <= NUMBER_MAX)
        if not is_sound or position is None:
            raise ValidationError("is not a cursor of this list; take it from `next` of the page before")
        return position


def cursor(of: str, position: int | str) -> str:
    written = json.dumps([of, position], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def read_cursor(of: str, given: str) -> int | str | None:
    """None if it is no cursor of that list."""
    if len(given) > CURSOR_CHARACTERS_MAX:
        return None
    try:
        written = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        name, position = json.loads(written)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    if name != of or isinstance(position, bool) or not isinstance(position, int | str):
        return None
    return None if isinstance(position, str) and not position.isprintable() else position  # NUL, half a pair


def limit_field() -> fields.Integer:
    return fields.Integer(load_default=PAGE_DEFAULT, validate=validate.Range(min=1, max=PAGE_MAX))


def paged(found: Sequence[Item], limit: int, of: str, position: Callable[[Item], int | str]) -> dict[str, Any]:
    """The answer of a list; `found` is asked for with one more than `limit`, which tells whether there is more."""
    items = found[:limit]
    return {"items": items, "next": cursor(of, position(items[-1])) if len(found) > limit else None}


def paged_whole(
    made: Sequence[Item], query: Mapping[str, Any], of: str, position: Callable[[Item], Any]
) -> dict[str, Any]:
    """The answer of a list that is made whole each time: in the order of `position`, from after the query's cursor."""
    after, limit = query["cursor"], query["limit"]
    ordered = sorted(made, key=position)
    left = [item for item in ordered if after is None or position(item) > after]
    return paged(left[: limit + 1], limit, of, position)


def paged_by_place(made: Sequence[Item], query: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The same of a list whose order is its own, and whose items have no key: the cursor counts them."""
    first, limit = query["cursor"] or 0, query["limit"]
    more = len(made) > first + limit
    return {"items": made[first : first + limit], "next": cursor(of, first + limit) if more else None}
