"""A request's body comes in whole or is refused; it is never cut, and whoever sent it gets to read why.

Werkzeug cuts a body of unknown length at the limit without a word. And a server that answers with some of a body
unread closes the connection under its sender, who sees an outage and never the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BYTES_MAX = 1024 * 1024
DISCARDED_BYTES_MAX = 16 * BYTES_MAX  # of a larger one; beyond that its sender finds the connection broken
PIECE_BYTES = 65_536


class Stream(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class Whole:
    """Around a WSGI application whose own limit is BYTES_MAX: it refuses what has a Content-Length above that."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        stream, length = environ["wsgi.input"], environ.get("CONTENT_LENGTH") or ""
        if not length and environ.get("wsgi.input_terminated"):  # sent in chunks, or by HTTP/2
            body = _read(stream, BYTES_MAX + 1)
            length = environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = BytesIO(body)
            environ.pop("HTTP_TRANSFER_ENCODING", None)  # Werkzeug minds no length beside it
            if len(body) > BYTES_MAX:
                _discard(stream, DISCARDED_BYTES_MAX - len(body))
        elif length.isdecimal() and int(length) > BYTES_MAX:
            _discard(stream, min(int(length), DISCARDED_BYTES_MAX))
            environ["wsgi.input"] = BytesIO()
        return self._app(environ, start_response)


def _read(stream: Stream, bytes_max: int) -> bytes:
    pieces: list[bytes] = []
    while bytes_max > 0 and (piece := stream.read(min(bytes_max, PIECE_BYTES))):
        pieces.append(piece)
        bytes_max -= len(piece)
    return b"".join(pieces)


def _discard(stream: Stream, bytes_max: int) -> None:
    while bytes_max > 0 and (piece := stream.read(min(bytes_max, PIECE_BYTES))):
        bytes_max -= len(piece)
