"""Reading what senders send: lenient, bounded, and storable on every database. Pure.

Sources share these so that the limits hold everywhere: no text leaves here that PostgreSQL would refuse (NUL, a lone
surrogate) and none is longer than its limit. What is cut says so, and `IncomingAlert.raw` still has it whole.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from incidents.sources.base import (
    BODY_CHARACTERS_MAX,
    DEDUP_KEY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Link,
    PayloadRefusedError,
)

ALERTS_MAX = 5_000  # in one request; a body of 1 MiB holds about 3,500 of Alertmanager's
DEPTH_MAX = 64  # of nested JSON; deeper is replaced by a mark
NAME_CHARACTERS_MAX = 255  # service, component, environment, a label's name, a link's text
LABELS_MAX = 100
MORE_LABELS = "(more labels)"
LABEL_CHARACTERS_MAX = 1_024
LINKS_MAX = 20
LINK_CHARACTERS_MAX = 2_048

WITHHELD = "(withheld)"
_SECRETS = "accesstoken apikey authorization contactpager password routingkey secret servicekey token userpager"
SECRETS = frozenset(_SECRETS.split())

_LINE_END = re.compile(r"\r\n?")
# What a database refuses, and what turns around the words that stand beside it on a page (right-to-left overrides).
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_NUMBER = re.compile(r"-?\d{9,20}(\.\d{1,9})?")
_OFFSET = re.compile(r"([+-]\d\d):?(\d\d)Z?$")


class Doubled(dict[str, Any]):
    """A JSON object that gives a name twice with different values. The last one wins; `names` says which ones."""

    names: tuple[str, ...] = ()


def json_value(body: bytes, *, strict: bool = False) -> Any:
    """The JSON value in a request body; PayloadRefusedError if there is none.

    Bytes that are not UTF-8 are read as Windows-1252, because Windows PowerShell sends that without saying so.
    NaN and Infinity, which are not JSON though Python writes them, become text; `strict` refuses them.
    """
    text = _ESCAPED_BYTE.sub(_windows_1252, body.decode("utf-8-sig", "surrogateescape"))
    if not text.strip():
        raise PayloadRefusedError("", "the body is empty")
    try:
        return json.loads(text, parse_constant=_refuse_constant if strict else str, object_pairs_hook=_object)
    except RecursionError:
        raise PayloadRefusedError("", "the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise PayloadRefusedError("", f"the body is not JSON: {error}") from None
    except ValueError:  # NaN where it is refused, or an integer longer than Python reads
        raise PayloadRefusedError("", "the body is not JSON: it holds a number that is none, or far too long") from None


def clean(text: str) -> str:
    """The text with line feeds only, and control characters, overrides of the direction and lone surrogates shown
    instead of sent.

    Same text in, same text out; cleaning twice changes nothing more, so a key cleaned on its way in matches itself.
    """
    if not text.isprintable():
        text = _UNSTORABLE.sub(_shown, _LINE_END.sub("\n", text))
    return text


def text_of(value: Any) -> str:
    """A string, number or truth value as clean text; empty for null, lists and objects."""
    match value:
        case str():
            return clean(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    return ""


def name_of(value: Any) -> str:
    """The same on one line, short enough for a column: a service, a component, a label's name."""
    return cut(one_line(text_of(value)), NAME_CHARACTERS_MAX)


def one_line(text: str) -> str:
    return " ".join(filter(None, map(str.strip, text.replace("\t", " ").splitlines())))


def cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else text[: characters_max - 1].rstrip() + "…"


def compose(summary: str, *sections: str, notes: Iterable[str] = ()) -> tuple[str, str]:
    """The title, and a body that keeps whole what the title could not. Notes are Tocsin's own and are never cut."""
    whole = clean(summary).strip()
    title = cut(one_line(whole), TITLE_CHARACTERS_MAX)
    texts = sections if title == whole else (whole, *sections)
    body = "\n\n".join(filter(None, (text.strip("\n").rstrip() for text in texts)))
    tail = "\n\n".join(f"[Tocsin] {one_line(clean(note))}" for note in notes)
    room = BODY_CHARACTERS_MAX - len(tail) - 2
    if len(body) > room:
        mark = "\n… (cut here; the whole text is in the payload as received)"
        body = body[: room - len(mark)] + mark
    return title, "\n\n".join(filter(None, (body, tail)))


def dedup_key(text: str) -> str:
    """The sender's key. One that is too long keeps its beginning and gets a digest, the same each time it comes."""
    key = clean(text)
    if len(key) <= DEDUP_KEY_CHARACTERS_MAX:
        return key
    mark = "#" + hashlib.sha256(key.encode()).hexdigest()
    return key[: DEDUP_KEY_CHARACTERS_MAX - len(mark)] + mark


def digest(value: Any) -> str:
    """64 hex digits that are the same for the same JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(storable(value), sort_keys=True).encode()).hexdigest()


def storable(value: Any, depth: int = 0) -> Any:
    """A copy of a JSON value that every database and every JSON reader takes."""
    match value:
        case str():
            return clean(value)
        case float() if not math.isfinite(value):
            return str(value)
        case bool() | int() | float() | None:
            return value
        case _ if depth >= DEPTH_MAX:
            return "… (nested too deeply to keep)"
        case Mapping():
            return {clean(str(name)): storable(item, depth + 1) for name, item in value.items()}
        case list() | tuple():
            return [storable(item, depth + 1) for item in value]
    return clean(str(value))


def received(piece: Any) -> dict[str, Any]:
    """What to keep as `IncomingAlert.raw`: storable, an object, and without the sender's credentials."""
    kept = storable(piece)
    if not isinstance(kept, dict):
        return {"value": kept}
    return {name: WITHHELD if plain(name) in SECRETS else item for name, item in kept.items()}


def plain(name: str) -> str:
    """`dedup_key`, `dedupKey` and `Dedup Key` are one name: `dedupkey`."""
    return name.casefold().translate({ord(mark): None for mark in "_- ."})


def readable(value: Any) -> str:
    """A JSON value as text for people: one line a field, nested ones indented. Stops where a body would be cut."""
    lines: list[str] = []
    length = 0
    for line in _lines(value, 0):
        lines.append(line)
        length += len(line) + 1
        if length > BODY_CHARACTERS_MAX:
            break
    return "\n".join(lines)


def labels(*groups: Any) -> dict[str, str]:
    """Labels as text to text; the first group that has a name wins, what is not an object is skipped.

    Lists and objects among the values become their JSON text.
    """
    found: dict[str, str] = {}
    left_out = 0
    for group in groups:
        if not isinstance(group, Mapping):
            continue
        left_out += max(0, len(group) - LABELS_MAX)
        for name, value in islice(group.items(), LABELS_MAX):
            label = name_of(name)
            if not label or label in found:
                continue
            if len(found) < LABELS_MAX:
                found[label] = cut(label_text(value), LABEL_CHARACTERS_MAX)
            else:
                left_out += 1
    if left_out:
        found[MORE_LABELS] = f"{left_out}, in the payload as received"
    return found


def link(href: Any, text: Any = "") -> Link | None:
    """A link that may be shown as one: http or https, with a host. None for anything else (`javascript:`, a path)."""
    address = text_of(href).strip().replace(" ", "%20")
    if len(address) > LINK_CHARACTERS_MAX or not address.isprintable():
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return Link(parts.scheme + address[len(parts.scheme) :], name_of(text))  # "HTTP:" is http


def links(*candidates: Link | None) -> tuple[Link, ...]:
    """Those that are links, each address once, in order."""
    found = {candidate.href: candidate for candidate in reversed(candidates) if candidate}
    return tuple(islice(reversed(found.values()), LINKS_MAX))


def moment(value: Any) -> datetime | None:
    """A point in time as aware UTC: ISO 8601 in every spelling seen, or a count since 1970; None if it is neither.

    Without a zone it is UTC. Times before 1970 mean "none" (Go's zero time is the year 1).
    """
    text = text_of(value).strip()
    try:
        if _NUMBER.fullmatch(text):
            number = float(text)
            while abs(number) >= 1e11:  # milli-, micro- or nanoseconds
                number /= 1_000
            found = datetime.fromtimestamp(number, UTC)
        else:
            # "+0000" is in PagerDuty's own example, "+00:00Z" comes from a client that adds both.
            found = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", text))
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if 1970 <= found.year < 9999 else None


def _windows_1252(escaped: re.Match[str]) -> str:
    return bytes([ord(escaped[0]) - 0xDC00]).decode("cp1252", "replace")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = Doubled(found)
    doubled.names = tuple(dict.fromkeys(name for name, value in pairs if value != found[name]))
    return doubled


def _shown(character: re.Match[str]) -> str:
    code = ord(character[0])
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


def label_text(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return json.dumps(storable(value), ensure_ascii=False)
    return text_of(value)


def _lines(value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if depth >= DEPTH_MAX:
        yield indent + "…"
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _entry(f"{indent}{one_line(clean(str(name)))}:", item, depth)
    elif isinstance(value, list):
        for item in value:
            yield from _entry(f"{indent}-", item, depth)
    else:
        yield from (indent + line for line in text_of(value).split("\n"))


def _entry(head: str, item: Any, depth: int) -> Iterator[str]:
    text = json.dumps(item) if item in (None, [], {}) else text_of(item)
    if (isinstance(item, Mapping | list) and item) or "\n" in text.strip():
        yield head
        yield from _lines(item.strip() if isinstance(item, str) else item, depth + 1)
    else:
        yield f"{head} {text.strip()}".rstrip()
