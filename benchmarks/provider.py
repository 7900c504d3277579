"""A stand-in for Slack's and Twilio's HTTP APIs on loopback, in the benchmark's own process: one clock for both ends."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

MARK = re.compile(r"\bm(\d{6})\b")


def mark(number: int) -> str:
    """A word that finds its way through a title into the page's text."""
    return f"m{number:06d}"


class Provider:
    """Takes everything. `arrived` maps an alert's number to when the first text message about it came in."""

    def __init__(self) -> None:
        self.arrived: dict[int, float] = {}
        self.messages = 0
        self.posts = 0
        self._mutex = threading.Lock()

    def take(self, path: str, form: dict[str, list[str]], at: float) -> tuple[int, dict[str, object]]:
        with self._mutex:
            if not path.endswith("/Messages.json"):
                self.posts += 1
                return 200, {"ok": True, "channel": "C0", "ts": f"1.{self.posts:06d}", "message": {"text": ""}}
            self.messages += 1
            found = MARK.search("".join(form.get("Body", [])))
            if found:
                self.arrived.setdefault(int(found[1]), at)
            return 201, {"sid": f"SM{self.messages:032x}", "status": "queued", "error_code": None}


@contextmanager
def serve() -> Iterator[tuple[Provider, str]]:
    """The provider and its base URL."""
    provider = Provider()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one packet an answer: two would wait for each other's acknowledgement

        def do_POST(self) -> None:
            at = time.monotonic()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = provider.take(self.path, parse_qs(body.decode()), at)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="provider", daemon=True).start()
    try:
        yield provider, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
