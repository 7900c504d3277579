"""Slack, Twilio and a webhook receiver on one loopback port.

with FakeProviders() as providers:
    ...  # send with TOCSIN_SLACK_API_URL=providers.slack_api_url, TOCSIN_TWILIO_API_URL=providers.twilio_url
    providers.fail("sms", status=503, code=20500, times=2)
    assert "Reply ACK 42" in providers.sms_to("+351910000001")[0].body

Every request is judged by the providers' own API descriptions as well; at the end of the block there must have been
nothing to find.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes import published
from tests.fakes.loopback import DROPPED, Answer, Fault, Faults, LoopbackServer, Request
from tests.fakes.slack import FakeSlack, Post
from tests.fakes.twilio import ACCOUNT_SID, FakeTwilio, PhoneCall, TextMessage, TwilioRefusedError

KINDS = ("slack", "sms", "voice", "webhook")


@dataclass(frozen=True)
class Delivery:
    """One request to the webhook receiver."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakeProviders:
    def __init__(self) -> None:
        self.slack = FakeSlack()
        self.twilio = FakeTwilio()
        self.deliveries: list[Delivery] = []
        self.requests: list[Request] = []  # everything that arrived, whatever became of it
        self.violations: list[str] = []  # what the providers' own descriptions find wrong with what arrived
        self._faults = Faults()
        self._server = LoopbackServer(self._answer)

    def __enter__(self) -> FakeProviders:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.close()
        assert error is not None or not self.violations, self.violations

    # Where they are

    @property
    def slack_api_url(self) -> str:
        return f"{self._server.url}/api/"

    @property
    def response_url(self) -> str:
        """Where Slack takes an answer to whoever pressed or typed."""
        return f"{self._server.url}/slack-answers/T0/1"

    @property
    def twilio_url(self) -> str:
        return self._server.url

    @property
    def webhook_url(self) -> str:
        return f"{self._server.url}/hook"

    # What they were sent

    def sms_to(self, number: str) -> list[TextMessage]:
        return [text for text in self.twilio.texts if text.to == number]

    def calls_to(self, number: str) -> list[PhoneCall]:
        return [call for call in self.twilio.calls if call.to == number]

    def posts(self, address: str) -> list[Post]:
        """The messages in a channel (`#incidents`) or to a member (`U0ANA`)."""
        return [post for post in self.slack.posts if post.address == address]

    def fail(
        self,
        kind: str,
        *,
        times: int = 1,
        status: int = 503,
        code: int | str = "",
        retry_after: int | None = None,
        lose_answer: bool = False,
        drop: bool = False,
        location: str = "",
        body: bytes | None = None,
    ) -> None:
        """Let the next requests of a kind (one of KINDS) fail. `code` is a Twilio number or a Slack word.

        `lose_answer`: the message is taken over, but its sender never hears of it. `drop`: it does not arrive either.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
        self._faults.add(kind, Fault(status, code, retry_after, lose_answer, drop, location, body), times)

    # How they answer

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        kind, take = self._route(request)
        fault = self._faults.take(kind)
        if fault is None:
            return take(request)
        if fault.lose_answer:
            take(request)
        if fault.lose_answer or fault.drop:
            return DROPPED
        return _failure(kind, fault)

    def _route(self, request: Request) -> tuple[str, Callable[[Request], Answer]]:
        path = urlsplit(request.path).path
        if path.startswith("/api/"):
            return "slack", self._slack
        if path.startswith("/slack-answers/"):
            return "slack", self._take_answer
        account = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
        if path == f"{account}/Messages.json":
            return "sms", lambda r: self._create("sms", r)
        if path == f"{account}/Calls.json":
            return "voice", lambda r: self._create("voice", r)
        if path.startswith("/hook"):
            return "webhook", self._deliver
        return "", lambda _: Answer(404, b'{"code": 20404, "message": "not found", "status": 404}')

    def _slack(self, request: Request) -> Answer:
        method = urlsplit(request.path).path.removeprefix("/api/")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        is_json = "json" in request.headers.get("content-type", "")
        arguments = json.loads(request.body or b"{}") if is_json else _form(request)
        self.violations += published.slack(method, arguments, is_json=is_json)
        return _json(200, self.slack.answer(method, arguments, token), {"X-OAuth-Scopes": self.slack.scopes})

    def _take_answer(self, request: Request) -> Answer:
        self.slack.answers.append((request.path, json.loads(request.body)))
        return Answer(200, b"ok")

    def _create(self, kind: str, request: Request) -> Answer:
        form = parse_qs(request.body.decode(), keep_blank_values=True)
        self.violations += published.twilio({"sms": "Messages", "voice": "Calls"}[kind], form)
        try:
            return _json(201, self.twilio.create(kind, _form(request), request.headers.get("authorization", "")))
        except TwilioRefusedError as refused:
            return _json(refused.status, refused.to_json())

    def _deliver(self, request: Request) -> Answer:
        self.deliveries.append(Delivery(request.path, request.headers, request.body))
        return Answer(204, b"")


def _failure(kind: str, fault: Fault) -> Answer:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    headers |= {"Location": fault.location} if fault.location else {}
    if fault.body is not None:
        return Answer(fault.status, fault.body, headers | {"Content-Type": "text/html"})
    if kind == "slack":
        # A word of Slack's own comes with 200, except when it asks to slow down.
        status = fault.status if not fault.code or fault.code == "ratelimited" else 200
        return _json(status, {"ok": False, "error": fault.code or "internal_error"}, headers)
    code = fault.code or 20000 + fault.status
    return _json(fault.status, {"code": code, "message": "told to fail", "status": fault.status}, headers)


def _form(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}


def _json(status: int, content: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(content).encode(), headers or {})
