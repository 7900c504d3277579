"""The team's own endpoints: the remedy of a service, and the halt hook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from config.database import Database
from config.declaration import DeclarationError
from escalation.channels import webhook
from incidents import export
from incidents.severity import Severity
from tests.fakes.loopback import DROPPED, Answer, LoopbackServer, Request
from tests.world import HOOK_SECRET, STORE_KEY, World, team

CHAIN = "Hash chain broken at sequence 48211"


@dataclass
class Endpoint:
    """Answers as it is told, and 200 after that."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = LoopbackServer(self._answer)

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else Answer(200, b"restarted\x00 two\npods")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    there = Endpoint()
    yield there
    there.server.close()


@pytest.fixture
def world(sqlite_database: Database, endpoint: Endpoint) -> World:
    return World(sqlite_database, config=hooked(endpoint.server.url))


def hooked(url: str, *, retries: int = 2) -> str:
    remedy = f'remediation: {{url: "{url}/restart?token=hush", retries: {retries}}}, integrations'
    return team().replace("integrations", remedy) + f'hooks: {{halt: "{url}/halt"}}\n'


def texts(world: World, number: int, kind: str) -> list[str]:
    return [entry.text for entry in world.timeline(number) if entry.kind == kind]


def test_a_services_remedy_is_called_signed_beside_the_first_page(world: World, endpoint: Endpoint) -> None:
    number = world.alert()
    assert len(world.sent("sms")) == 1
    [request] = endpoint.requests
    assert request.path == "/restart?token=hush"
    body = json.loads(request.body)
    assert (body["event"], body["incident"]["incident_id"]) == ("remediation", number)
    at_seconds = int(world.now.timestamp())
    assert request.headers["tocsin-signature"].partition(",")[2].startswith("v1=")
    stamped = int(request.headers["tocsin-signature"].removeprefix("t=").partition(",")[0])
    assert request.headers["tocsin-signature"] == webhook.signature(request.body, stamped, HOOK_SECRET)
    assert at_seconds
    assert texts(world, number, "hook.succeeded") == [
        "The remediation hook at 127.0.0.1 succeeded: 200: restarted two pods"
    ]


def test_the_address_is_on_no_timeline_beyond_its_host(world: World) -> None:
    number = world.alert()
    assert not [entry for entry in world.timeline(number) if "hush" in entry.payload + entry.text]


def test_a_call_that_fails_is_tried_again_and_given_up_after_its_retries(world: World, endpoint: Endpoint) -> None:
    endpoint.answers = [Answer(503, b"busy"), DROPPED, Answer(500, b"no")]
    number = world.alert()
    world.fast_forward(minutes=2)
    assert len(endpoint.requests) == 3
    assert len(texts(world, number, "hook.retried")) == 2
    assert texts(world, number, "hook.failed") == [
        "The remediation hook at 127.0.0.1 failed after 3 tries: it answered 500: no"
    ]


@pytest.mark.parametrize("answer", [Answer(404, b""), Answer(302, b"", {"Location": "http://127.0.0.1:1/"})])
def test_a_refusal_is_final_and_no_redirect_is_followed(world: World, endpoint: Endpoint, answer: Answer) -> None:
    endpoint.answers = [answer]
    number = world.alert()
    world.fast_forward(minutes=2)
    assert len(endpoint.requests) == 1
    assert texts(world, number, "hook.failed")


def test_a_resolved_incident_is_remedied_no_further(world: World, endpoint: Endpoint) -> None:
    endpoint.answers = [Answer(503, b"")]
    number = world.alert()
    world.resolve(number)
    world.fast_forward(minutes=2)
    assert len(endpoint.requests) == 1
    assert texts(world, number, "hook.cancelled") == ["1 hook call was cancelled: resolved by Ana Lima."]


def test_a_constitutional_incident_is_never_remedied_automatically(world: World, endpoint: Endpoint) -> None:
    number = world.alert(CHAIN, key=STORE_KEY, dedup_key="chain")
    assert [request.path for request in endpoint.requests] == ["/halt"]
    assert texts(world, number, "hook.withheld")


def test_the_halt_hook_hears_of_a_recommended_halt_and_a_keeper_decides(world: World, endpoint: Endpoint) -> None:
    number = world.alert(CHAIN, key=STORE_KEY, dedup_key="chain")
    assert json.loads(endpoint.requests[0].body)["event"] == "halt"
    [text] = texts(world, number, "hook.called")
    assert text == (
        "The halt hook at 127.0.0.1 is called. "
        "A halt is recommended. What is done about it, and what the answer means, a keeper decides."
    )


def test_a_medium_that_rises_is_remedied_once(world: World, endpoint: Endpoint) -> None:
    number = world.alert("Something is odd in the checkout", dedup_key="odd")
    world.reclassify(number, Severity.HIGH)
    assert len(endpoint.requests) == 1


def test_an_address_that_cannot_be_called_is_refused_and_not_quoted(world: World) -> None:
    for url, problem in (
        ("ftp://example.org/x", "needs an http or https URL with a host"),
        ("https://", "needs an http or https URL with a host"),
        ("https://ana:secret@example.org/", "must hold no name and password"),
    ):
        with pytest.raises(DeclarationError, match=problem) as refused:
            world.apply(team() + f'hooks: {{halt: "{url}"}}\n')
        assert "secret" not in str(refused.value)


def test_hooks_are_exported_whole_and_changed_by_apply(world: World, endpoint: Endpoint) -> None:
    with world.database.reading() as session:
        text = export.to_text(session)
    assert f"halt: {endpoint.server.url}/halt" in text.replace('"', "")
    assert "/restart?token=hush" in text
    world.apply(team())
    world.alert(CHAIN, key=STORE_KEY, dedup_key="chain")
    assert not endpoint.requests
