"""The channel that is the library Apprise, against a receiver on this machine: json:// and ntfy:// by HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.database import Database
from escalation import directory
from escalation.channels.action_links import Links
from escalation.channels.apprise import Apprise
from escalation.channels.base import ChannelError
from escalation.channels.push_text import BODY_CHARACTERS_MAX, body
from incidents import export
from tests.fakes.providers import FakeProviders
from tests.messages import ACKNOWLEDGED, NOW, OPEN, announcement, brief, page
from tests.world import World, team

LINKS = Links("https://tocsin.example.org", "s" * 32)
TOKEN = "s3cret-t0ken"


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as running:
        yield running


@pytest.fixture
def channel() -> Apprise:
    return Apprise(LINKS, now=lambda: NOW)


def _address(providers: FakeProviders) -> str:
    return f"json://{providers.webhook_url.removeprefix('http://')}/{TOKEN}"


def _refused(channel: Apprise, address: str) -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        channel.send(address, page())
    assert TOKEN not in str(refused.value)
    return refused.value


def test_a_page_arrives_with_its_title_and_the_links(providers: FakeProviders, channel: Apprise) -> None:
    assert channel.send(_address(providers), page()).ref == {}
    [sent] = providers.deliveries
    assert sent.json["title"].startswith("Page 42 CRITICAL constitutional: Hash chain broken")
    actions = LINKS.actions(page(), NOW)
    assert f"Acknowledge: {actions.acknowledge}" in sent.json["message"]
    assert "Incident 42: https://tocsin.example.org/incidents/42" in sent.json["message"]


def test_a_room_is_told_again_when_the_state_changes_and_only_then(providers: FakeProviders, channel: Apprise) -> None:
    address = _address(providers)
    sent = channel.send(address, announcement())
    sent = channel.update(address, sent.ref, announcement(brief(severity="HIGH"), OPEN))
    assert len(providers.deliveries) == 1
    channel.update(address, sent.ref, announcement(brief(), ACKNOWLEDGED))
    assert "Acknowledged by Ana Lima" in providers.deliveries[1].json["message"]


@pytest.mark.parametrize(("status", "permanent"), [(403, True), (404, True), (429, False), (503, False)])
def test_a_refusal_is_permanent_or_passing_by_its_status(
    providers: FakeProviders, channel: Apprise, status: int, permanent: bool
) -> None:
    providers.fail("webhook", status=status)
    refused = _refused(channel, _address(providers))
    assert (refused.code, refused.permanent) == (str(status), permanent)
    assert str(refused) == f"json refused it (HTTP {status})."


def test_a_service_that_does_not_answer_is_tried_again(channel: Apprise) -> None:
    refused = _refused(channel, f"json://127.0.0.1:9/{TOKEN}")
    assert (refused.code, refused.permanent) == ("network", False)


def test_an_address_that_apprise_does_not_know_is_permanent_and_not_told(channel: Apprise) -> None:
    refused = _refused(channel, f"nonsense://{TOKEN}@host")
    assert (refused.permanent, refused.of_address) == (True, True)
    assert "nonsense://" in str(refused)


def test_a_long_page_is_cut_and_its_links_are_not() -> None:
    message = page(brief(summary="x" * 5000, title="y" * 900))
    actions = LINKS.actions(message, NOW)
    said = body(message, actions)
    assert len(said) <= BODY_CHARACTERS_MAX
    assert actions.acknowledge in said


def _team(url: str) -> str:
    declared = team(ana_by="[{after: 0s, by: apprise}, {after: 5m, by: sms}]")
    declared = declared.replace("slack: U0ANA,", f'slack: U0ANA, apprise: "{url}",')
    return declared.replace('announce: ["slack:#incidents"]', f'announce: ["apprise:{url}"]')


def test_somebody_is_paged_by_apprise_and_its_address_is_never_told(
    sqlite_database: Database, providers: FakeProviders, channel: Apprise
) -> None:
    url = _address(providers)
    world = World(sqlite_database, config=_team(url))
    world.channels["apprise"] = channel  # type: ignore[assignment]  # the real one
    number = world.alert()
    assert len(providers.deliveries) == 2
    assert [(page.channel, page.state) for page in world.pages(number)] == [("apprise", "sent"), ("sms", "queued")]
    assert TOKEN not in " ".join(f"{entry.text} {entry.payload}" for entry in world.timeline(number))
    with world.database.reading() as session:
        assert url in export.to_text(session)  # it is to be kept as the file is
        [ana] = directory.members(session, after="", limit=1, reader_id=None, reads_all=True)
    assert {each.address for each in ana.contacts if each.channel == "apprise"} == {"json://…"}


def test_when_apprise_is_refused_the_text_message_goes_at_once(
    sqlite_database: Database, providers: FakeProviders, channel: Apprise
) -> None:
    world = World(sqlite_database, config=_team(_address(providers)))
    world.channels["apprise"] = channel  # type: ignore[assignment]  # the real one
    providers.fail("webhook", status=403, times=2)
    world.alert()
    assert world.sent("sms")
