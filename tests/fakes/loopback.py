"""A small HTTP server on a free loopback port, and the faults that a test can set on it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # with the query
    headers: dict[str, str]  # names in lower case
    body: bytes
    from_port: int  # tells one connection from another


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


DROPPED = Answer(0, b"")  # the connection is closed without an answer


@dataclass(frozen=True)
class Fault:
    status: int = 503
    code: int | str = ""  # the provider's own error code
    retry_after: int | None = None
    lose_answer: bool = False  # the provider takes the message over, and the answer is lost on the way
    drop: bool = False  # the provider never sees it
    location: str = ""  # of a redirect
    body: bytes | None = None  # instead of the provider's own error body


class Faults:
    """The next faults of each kind of request, first set first used."""

    def __init__(self) -> None:
        self._set: dict[str, list[Fault]] = defaultdict(list)
        self._lock = threading.Lock()

    def add(self, kind: str, fault: Fault, times: int) -> None:
        with self._lock:
            self._set[kind] += [fault] * times

    def take(self, kind: str) -> Fault | None:
        with self._lock:
            return self._set[kind].pop(0) if self._set[kind] else None


class LoopbackServer:
    """Answers every request with `answer`, each connection in a thread of its own."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(answer: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # headers and body in one packet; in two, the second waits 40 ms for the first's receipt

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made = answer(Request(self.command, self.path, headers, body, self.client_address[1]))
            if made is DROPPED:
                self.close_connection = True
                return
            self.send_response(made.status)
            for name, value in {"Content-Type": "application/json", **made.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(made.body)))
            self.end_headers()
            self.wfile.write(made.body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests' own output matters."""

    return Handler
