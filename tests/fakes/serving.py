"""The real app on a free loopback port, over a database of the test's own."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

import wsgi
from config.settings import Settings
from tests.fakes.certificate import Certificate


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing: the tests' own output matters."""


@dataclass(frozen=True)
class Served:
    app: Flask
    url: str  # without a slash at its end


@contextmanager
def served(database_url: str, *, certificate: Certificate | None = None) -> Iterator[Served]:
    app = wsgi.create_app(Settings(database_url=database_url, secret_key="s" * 32))
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=context)
    server.daemon_threads = True  # type: ignore[attr-defined]  # of the threaded kind
    at_work = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    at_work.start()
    try:
        yield Served(app, f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        at_work.join()
        app.extensions["tocsin"].database.close()
