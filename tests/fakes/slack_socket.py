"""The other end of Socket Mode: a WebSocket server on loopback that brings envelopes and takes their answers."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import queue
import socket
import struct
import threading
from typing import Any

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class FakeSocket:
    """The newest line is the one that is spoken on. `answers` are what came back."""

    def __init__(self) -> None:
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.open = threading.Event()
        self._connection: socket.socket | None = None
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.getsockname()[1]}/link/?ticket=fake"

    def bring(self, kind: str, payload: dict[str, Any], *, envelope: str, again: bool = False) -> None:
        """Send one; `again`: Slack saw no answer to it before."""
        told = {"retry_attempt": 1, "retry_reason": "timeout"} if again else {}
        self._send(TEXT, json.dumps({"type": kind, "envelope_id": envelope, "payload": payload, **told}).encode())

    def ask_to_reconnect(self) -> None:
        """As Slack does every few hours, some seconds before it hangs up."""
        self.open.clear()
        self._send(TEXT, b'{"type": "disconnect", "reason": "refresh_requested"}')

    def hang_up(self) -> None:
        """Without a word."""
        self.open.clear()
        self._drop()

    def close(self) -> None:
        self._server.close()
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            self._shake_hands(connection)
            self._connection = connection
            self._send(TEXT, b'{"type": "hello", "num_connections": 1}')
            self.open.set()
            self._listen(connection)

    def _shake_hands(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
        accept = base64.b64encode(hashlib.sha1((headers["Sec-WebSocket-Key"] + _GUID).encode()).digest()).decode()
        answer = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        connection.sendall(answer.encode())

    def _listen(self, connection: socket.socket) -> None:
        while True:
            kind, body = _frame(connection)
            if kind == TEXT:
                self.answers.put(json.loads(body))
            elif kind == PING:
                self._send(PONG, body)
            elif kind == CLOSE:
                connection.close()
                return

    def _send(self, kind: int, body: bytes) -> None:
        assert self._connection is not None
        length = bytes([len(body)]) if len(body) < 126 else struct.pack("!BH", 126, len(body))
        self._connection.sendall(bytes([0x80 | kind]) + length + body)


def _frame(connection: socket.socket) -> tuple[int, bytes]:
    """What a client sends is masked."""
    first, second = _exactly(connection, 2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", _exactly(connection, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", _exactly(connection, 8))
    mask = _exactly(connection, 4) if second & 0x80 else bytes(4)
    body = bytes(byte ^ mask[i % 4] for i, byte in enumerate(_exactly(connection, length)))
    return first & 0x0F, body


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = connection.recv(count - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found
