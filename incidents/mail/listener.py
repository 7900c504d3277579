"""The SMTP side: who may connect, how much they may say, and how long they may take (aiosmtpd).

One loop in a thread of its own listens to all of them; what waits for the database waits in a few other threads, so
that one slow letter stops no other. Nothing is answered 250 before `Corridor.take` says so.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from config import logs
from incidents.mail.corridor import BROKEN, Corridor

SIZE_BYTES_MAX = 1024 * 1024
SESSIONS_MAX = 50  # at once; then who waits longest without a good address makes room, or who comes is turned away
RECIPIENTS_MAX = 50  # of one letter
REFUSALS_MAX = 20  # of addresses in one session: whoever guesses keys gets no further
COMMANDS_MAX = {"NOOP": 100, "VRFY": 20, "HELP": 20, "EXPN": 20, "*": 100_000}
THREADS = 4  # what waits for the database at once
IDLE_SECONDS = 120.0  # between two commands, and for the whole of one letter
GRACE_SECONDS = 10.0  # for letters that are being taken when it ends
ANSWERED_WITHIN_SECONDS = 0.05
STARTED_WITHIN_SECONDS = 10.0

TOO_MANY_RECIPIENTS = f"452 4.5.3 At most {RECIPIENTS_MAX} addresses a letter; send it to the others again."
TOO_MANY_REFUSED = "421 4.7.0 Too many addresses that are none."
BUSY = b"421 4.7.0 Too many connections at once. Come again later.\r\n"

log = logs.get("mail")


class _Conversation(SMTP):
    """One session. A line may be as long as a letter: what mail servers hand on is longer than the rules allow."""

    line_length_limit = SIZE_BYTES_MAX + 1

    def __init__(self, *arguments: Any, ended: Callable[[_Conversation], None], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ended = ended
        self.refused = 0
        self.knows_an_address = False  # whoever does is a sender, and no stranger who takes up a place

    def connection_lost(self, error: Exception | None) -> None:
        self._ended(self)
        super().connection_lost(error)

    def make_room(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.write(BUSY)
            self.transport.close()
        self._ended(self)

    def hang_up_soon(self) -> None:
        transport = self.transport
        if transport is not None:
            self.loop.call_soon(transport.close)  # after the answer has been written


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  what a TCP server gives
        transport.write(BUSY)
        transport.close()


@dataclass(slots=True)
class _Desk:
    """What aiosmtpd asks; each answer is a line."""

    corridor: Corridor
    pool: ThreadPoolExecutor
    working: set[asyncio.Future[str]] = field(default_factory=set)

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name for it
        self, server: _Conversation, session: Session, envelope: Envelope, name: str, told: list[str]
    ) -> list[str]:
        """Nobody signs in here, and it must not look so."""
        del server, envelope
        session.host_name = name
        return [line for line in told if not line.startswith("250-AUTH")]

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name for it
        self, server: _Conversation, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return TOO_MANY_RECIPIENTS
        refusal = await self._elsewhere(lambda: self.corridor.refusal(address))
        if not refusal:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
            server.knows_an_address = True
            return "250 2.1.5 OK"
        server.refused += 1
        if server.refused >= REFUSALS_MAX:
            peer = session.peer[0] if isinstance(session.peer, tuple) else ""
            log.warning("somebody was hung up on for sending to addresses that are none", peer=peer)
            server.hang_up_soon()
            return TOO_MANY_REFUSED
        return refusal

    async def handle_DATA(self, server: _Conversation, session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        data = envelope.original_content or b""
        sender, to = envelope.mail_from or "", list(envelope.rcpt_tos)
        return await self._elsewhere(lambda: self.corridor.take(sender, to, data))

    async def handle_exception(self, error: Exception) -> str:
        log.error("a letter could not be taken", exc_info=error)
        return BROKEN

    async def _elsewhere(self, work: Callable[[], str]) -> str:
        waiting = asyncio.get_running_loop().run_in_executor(self.pool, work)
        self.working.add(waiting)
        waiting.add_done_callback(self.working.discard)
        # A connection that breaks must not take the work with it: what is stored half way would be half a letter.
        return await asyncio.shield(waiting)


class Listener:
    """Started, it listens until it is stopped. `host` may be empty for all; port 0 is any that is free."""

    def __init__(self, corridor: Corridor, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._corridor, self._host, self.port, self._tls = corridor, host, port, tls
        self._conversations: dict[_Conversation, None] = {}  # in the order in which they came
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stopping = asyncio.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        """Raises OSError if it cannot listen there."""
        # It would write addresses, and so keys, into the log.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._thread.start()
        self._started.wait(STARTED_WITHIN_SECONDS)
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Takes no more letters in, and waits for those that are being taken."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(GRACE_SECONDS * 2)

    @property
    def is_listening(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as fault:
            self._fault = fault
            if self._started.is_set():
                log.error("the listener for letters ended", exc_info=fault)
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="letter") as pool:
            desk = _Desk(self._corridor, pool)
            server = await self._loop.create_server(lambda: self._conversation(desk), self._host or None, self.port)
            self.port = server.sockets[0].getsockname()[1]
            self._started.set()
            await self._stopping.wait()
            server.close()
            if desk.working:
                await asyncio.wait(desk.working, timeout=GRACE_SECONDS)
            await asyncio.sleep(ANSWERED_WITHIN_SECONDS)  # what was just taken is answered
            for conversation in list(self._conversations):
                if conversation.transport is not None:
                    conversation.transport.close()
            await asyncio.sleep(0)

    def _conversation(self, desk: _Desk) -> asyncio.BaseProtocol:
        if len(self._conversations) >= SESSIONS_MAX:
            log.warning("somebody was asked to come later", sessions=SESSIONS_MAX)
            stranger = next((each for each in self._conversations if not each.knows_an_address), None)
            if stranger is None:
                return _Busy()
            stranger.make_room()
        made = _Conversation(
            desk,
            ended=lambda each: self._conversations.pop(each, None),
            data_size_limit=SIZE_BYTES_MAX,
            enable_SMTPUTF8=True,
            hostname=self._corridor.domain or "tocsin",
            ident="Tocsin",
            tls_context=self._tls,
            timeout=IDLE_SECONDS,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=COMMANDS_MAX,
            loop=self._loop,
        )
        self._conversations[made] = None
        return made


def tls(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
