"""STOP and START, and addresses that are refused again and again."""

from __future__ import annotations

import pytest

from config.database import Database
from escalation import check, responders, survey
from escalation.channels import sms
from escalation.channels.base import ChannelError, Verb
from escalation.models import ContactMethod
from incidents import replies
from tests.fakes import twilio
from tests.world import PHONES, World, refused, team

ANA = PHONES["ana"]
URL = "https://tocsin.example.org/replies/sms"


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 5m, by: voice}]"))


def _text(world: World, body: str, *, sender: str = ANA, **more: str) -> str:
    form = twilio.incoming_text(body, sender=sender) | more
    reply = sms.parse_reply(URL, form, twilio.signature(URL, form), twilio.AUTH_TOKEN)
    answer = replies.act(world.database, world.desk, reply, world.now)
    world.run()
    return answer.sentence


def _method(world: World, channel: str = "sms") -> ContactMethod:
    with world.database.reading() as session:
        found = responders.method(session, channel, ANA)
    assert found is not None
    return found


def _of_address(code: str = "21614") -> ChannelError:
    return ChannelError("It is not a mobile number.", permanent=True, of_address=True, code=code)


@pytest.mark.parametrize(
    ("body", "said_by_twilio", "verb"),
    [
        ("STOP", "", Verb.STOP),
        (" Unsubscribe. ", "", Verb.STOP),
        ("arrête", "STOP", Verb.STOP),
        ("start", "", Verb.START),
        ("YES", "", Verb.START),
        ("stop 42", "", Verb.HELP),
        ("ack 42", "", Verb.ACKNOWLEDGE),
    ],
)
def test_twilios_own_words_are_known(body: str, said_by_twilio: str, verb: Verb) -> None:
    form = twilio.incoming_text(body, sender=ANA) | {"OptOutType": said_by_twilio}
    assert sms.parse_reply(URL, form, twilio.signature(URL, form), twilio.AUTH_TOKEN).verb is verb


def test_after_stop_the_next_page_is_a_call_and_start_takes_it_back(world: World) -> None:
    assert _text(world, "STOP") == ""
    assert "STOP was sent" in _method(world).disabled_reason
    assert _method(world, "voice").disabled_reason == ""
    world.alert(dedup_key="1")
    assert not world.sent("sms", to=ANA)
    assert world.sent("voice", to=ANA)
    assert _text(world, "start") == "You are paged by text message again."
    world.alert(dedup_key="2")
    assert world.sent("sms", to=ANA)


def test_stop_is_told_by_another_way_and_found_by_check(world: World) -> None:
    _text(world, "stop")
    assert any(sent.message.subject == "You are no longer reached by SMS" for sent in world.deliveries)
    with world.database.reading() as session:
        ground = survey.of_database(session, world.now, policies_in_use=["standard"], runbooks=[])
    found = [finding for finding in check.findings(ground) if finding.code == "way-off"]
    assert [(each.what, each.severity) for each in found] == [("responder ana", "warning")]


def test_twilio_saying_that_somebody_opted_out_counts_as_stop_at_once(world: World) -> None:
    world.channels["sms"].faults = [_of_address("21610")]
    number = world.alert()
    assert "STOP was sent" in _method(world).disabled_reason
    assert world.sent("voice", to=ANA)
    assert "way.put_aside" in world.kinds(number)


def test_the_third_refusal_in_a_row_of_an_address_puts_it_aside(world: World) -> None:
    for n in range(3):
        assert _method(world).disabled_reason == ""
        world.channels["sms"].faults = [_of_address()]
        world.alert(dedup_key=str(n))
        world.fast_forward(minutes=20)
    assert "Refused 3 times in a row" in _method(world).disabled_reason


def test_a_message_that_went_through_between_begins_the_count_anew(world: World) -> None:
    for n, fault in enumerate([_of_address(), _of_address(), None, _of_address(), _of_address()]):
        world.channels["sms"].faults = [fault] if fault else []
        world.acknowledge(world.alert(dedup_key=str(n)))
        world.fast_forward(minutes=20)
    assert _method(world).disabled_reason == ""


def test_a_refusal_of_the_account_puts_nobody_aside(world: World) -> None:
    for n in range(4):
        world.channels["sms"].faults = [refused("20003")]
        world.acknowledge(world.alert(dedup_key=str(n)))
        world.fast_forward(minutes=20)
    assert _method(world).disabled_reason == ""


def test_a_stranger_who_sends_start_is_told_so(world: World) -> None:
    assert "does not know this sender" in _text(world, "START", sender="+15005559999")
    assert _text(world, "STOP", sender="+15005559999") == ""
