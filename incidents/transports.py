"""What a sender's request carries, by whichever transport: JSON, a form, a query or text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.exceptions import MethodNotAllowed, RequestEntityTooLarge

from config.errors import TooLargeError
from incidents.sources import reading
from incidents.sources.base import PayloadRefusedError
from incidents.sources.signatures import Sent
from incidents.sources.table import Source

METHODS = ("POST", "PUT", "GET")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def content(source: Source) -> Any:
    """What the source's parser takes. Raises PayloadRefusedError, TooLargeError, MethodNotAllowed."""
    if request.method not in ("POST", "PUT"):
        if not source.by_get or request.method != "GET" or not request.args:
            raise MethodNotAllowed(["POST", "PUT"], f"Alerts of {source.name} are sent here with POST.")
        return request.args.to_dict()
    data = body()
    if source.content == "bytes":
        if not data.strip():
            raise PayloadRefusedError("", "the body is empty")
        return data
    if request.mimetype in FORMS and source.content != "json":
        return request.form.to_dict()
    if not data.strip() and source.by_get and request.args:
        return request.args.to_dict()
    try:
        return reading.json_value(data)
    except PayloadRefusedError:
        as_text = source.content == "words" or (source.content == "text" and request.mimetype == "text/plain")
        if as_text and data.strip():
            return reading.clean(data.decode("utf-8", errors="replace"))
        raise


def sent(fetch: Callable[[str], bytes]) -> Sent:
    """For whoever checks the signature; `fetch` gets certificates."""
    return Sent({name.lower(): value for name, value in request.headers.items()}, body(), fetch)


def body() -> bytes:
    """As it came, byte for byte: signatures are of these."""
    try:
        return request.get_data()
    except RequestEntityTooLarge as large:
        raise TooLargeError("The body is over 1 MiB. Send fewer alerts at once; none of these was taken.") from large
