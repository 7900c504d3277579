from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.datastructures import EnvironHeaders, MultiDict

from escalation.channels import slack_inbound, sms, voice
from escalation.channels.base import Reply, ReplyRefusedError, Verb
from tests.fakes import slack as fake_slack
from tests.fakes import twilio as fake_twilio
from tests.messages import NOW, page

SMS_URL = "https://tocsin.example.org/replies/sms"
VOICE_URL = "https://tocsin.example.org/replies/voice?page=7&incident=42"
ANA = "+351910000001"


# Slack


def _slack(request: fake_slack.SlackRequest, now: datetime = NOW, secret: str = fake_slack.SIGNING_SECRET) -> Reply:
    return slack_inbound.reply(slack_inbound.read(request.headers, request.body, now, secret))


def _button(action_id: str = "tocsin.acknowledge", value: str = "42") -> dict[str, str]:
    return {"action_id": action_id, "block_id": "incident:42", "value": value, "type": "button"}


def _press(action: dict[str, str], user: str = "U0ANA") -> fake_slack.SlackRequest:
    payload = fake_slack.pressed_payload(action, user=user, channel="C0INC", ts="1700000000.000001")
    return fake_slack.signed({"payload": json.dumps(payload, ensure_ascii=False)}, NOW)


def test_a_pressed_button_says_who_what_which_incident_and_where_to_answer() -> None:
    reply = _slack(_press(_button()))
    assert (reply.channel, reply.sender, reply.verb, reply.number) == ("slack", "U0ANA", Verb.ACKNOWLEDGE, 42)
    assert reply.context.pop("trigger_id").startswith("T")
    assert reply.context == {
        "response_url": "https://hooks.slack.example/actions/T0/1/x",
        "channel": "C0INC",
        "ts": "1700000000.000001",
    }


def test_a_typed_command_is_read_like_a_text_message() -> None:
    reply = _slack(fake_slack.command("resolve 42 was a flap", user="U0ANA", now=NOW))
    assert (reply.sender, reply.verb, reply.number, reply.context["rest"]) == ("U0ANA", Verb.RESOLVE, 42, "was a flap")
    assert _slack(fake_slack.command("", user="U0ANA", now=NOW)).verb is Verb.HELP
    assert _slack(fake_slack.command("list", user="U0ANA", now=NOW)).verb is Verb.LIST


def test_an_unknown_button_asks_for_help() -> None:
    assert _slack(_press(_button("somebody.elses"))).verb is Verb.HELP


@pytest.mark.parametrize("value", ["", "forty-two", "-1", "４２", "9" * 30])
def test_a_button_that_names_no_incident_is_refused_rather_than_meaning_the_newest(value: str) -> None:
    with pytest.raises(ReplyRefusedError):
        _slack(_press(_button(value=value)))


@pytest.mark.parametrize("late_by", [-300, 0, 300])
def test_a_slack_request_is_good_for_five_minutes_either_way(late_by: int) -> None:
    assert _slack(_press(_button()), NOW + timedelta(seconds=late_by)).number == 42


@pytest.mark.parametrize("late_by", [-301, 301, 86_400])
def test_an_older_slack_request_is_refused(late_by: int) -> None:
    with pytest.raises(ReplyRefusedError):
        _slack(_press(_button()), NOW + timedelta(seconds=late_by))


def test_a_forged_slack_request_is_refused() -> None:
    genuine = _press(_button())
    forgeries = [
        dataclasses.replace(genuine, body=genuine.body.replace(b"42", b"43")),
        dataclasses.replace(genuine, headers={**genuine.headers, "X-Slack-Signature": "v0=" + "0" * 64}),
        dataclasses.replace(genuine, headers={**genuine.headers, "X-Slack-Signature": "v0=é"}),
        dataclasses.replace(genuine, headers={**genuine.headers, "X-Slack-Request-Timestamp": str(NOW.timestamp())}),
        dataclasses.replace(genuine, headers={**genuine.headers, "X-Slack-Request-Timestamp": "soon"}),
        dataclasses.replace(genuine, headers={**genuine.headers, "X-Slack-Request-Timestamp": "9" * 400}),
        dataclasses.replace(genuine, headers={}),
        dataclasses.replace(genuine, body=b"\xff\xfe"),
        fake_slack.signed({"payload": "{}"}, NOW, secret="guessed"),
    ]
    for forged in forgeries:
        with pytest.raises(ReplyRefusedError):
            _slack(forged)


def test_nothing_is_trusted_without_a_signing_secret() -> None:
    with pytest.raises(ReplyRefusedError, match="No Slack signing secret is configured"):
        _slack(fake_slack.signed({"payload": "{}"}, NOW, secret=""), secret="")


@pytest.mark.parametrize(
    "form",
    [{"payload": "{"}, {"payload": "[]"}, {"payload": '{"user": "U0ANA"}'}, {"text": "ack 42"}, {"user_id": "U0ANA"}],
)
def test_a_garbled_slack_request_is_refused_although_it_is_signed(form: dict[str, str]) -> None:
    with pytest.raises(ReplyRefusedError):
        _slack(fake_slack.signed(form, NOW))


def test_the_request_in_slacks_own_documentation_verifies() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
        b"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    said = slack_inbound.read(
        headers, body, datetime.fromtimestamp(1531420618, UTC), "8f742231b10e8888abcd99yyyzzz85a5"
    )
    assert (said.user, said.command) == ("U2CERLKJA", "/webhook-collect")


def test_the_headers_may_be_those_of_a_wsgi_request() -> None:
    request = _press(_button())
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    said = slack_inbound.read(dict(EnvironHeaders(environ)), request.body, NOW, fake_slack.SIGNING_SECRET)
    assert said.value == "42"


# Text messages and calls


def _text(body: str, *, url: str = SMS_URL, signed_for: str = SMS_URL) -> Reply:
    form = fake_twilio.incoming_text(body, sender=ANA)
    return sms.parse_reply(url, form, fake_twilio.signature(signed_for, form), fake_twilio.AUTH_TOKEN)


def test_a_text_message_is_read_with_its_sender() -> None:
    reply = _text("Ack 42 on it ✅")
    assert (reply.channel, reply.sender, reply.verb, reply.number) == ("sms", ANA, Verb.ACKNOWLEDGE, 42)
    assert reply.text == "Ack 42 on it ✅"
    assert reply.context["rest"] == "on it ✅"
    assert reply.context["message_sid"] == "SM" + hashlib.sha256(f"{ANA} Ack 42 on it ✅".encode()).hexdigest()[:32]


def test_the_form_may_be_werkzeugs() -> None:
    form = fake_twilio.incoming_text("ack 42", sender=ANA)
    signature = fake_twilio.signature(SMS_URL, form)
    assert sms.parse_reply(SMS_URL, MultiDict(form), signature, fake_twilio.AUTH_TOKEN).number == 42


def test_a_text_message_that_twilio_did_not_sign_is_refused() -> None:
    form = fake_twilio.incoming_text("ack 42", sender=ANA)
    good = fake_twilio.signature(SMS_URL, form)
    refused = [
        (SMS_URL, {**form, "From": "+351910000002"}, good, fake_twilio.AUTH_TOKEN),
        (SMS_URL, form, fake_twilio.signature(SMS_URL, form, "guessed"), fake_twilio.AUTH_TOKEN),
        (SMS_URL, form, "", fake_twilio.AUTH_TOKEN),
        (SMS_URL.replace("https", "http"), form, good, fake_twilio.AUTH_TOKEN),
        (SMS_URL, form, fake_twilio.signature(SMS_URL, form, ""), ""),  # no token configured: anybody could sign
        (SMS_URL, {}, fake_twilio.signature(SMS_URL, {}), fake_twilio.AUTH_TOKEN),  # signed, but from nobody
    ]
    for url, fields, signature, auth_token in refused:
        with pytest.raises(ReplyRefusedError):
            sms.parse_reply(url, fields, signature, auth_token)


def _key(key: str, *, url: str = VOICE_URL, outbound: bool = True) -> Reply:
    form = fake_twilio.pressed_key(key, phone=ANA, outbound=outbound)
    return voice.parse_reply(url, form, fake_twilio.signature(url, form), fake_twilio.AUTH_TOKEN)


@pytest.mark.parametrize(
    ("key", "verb"),
    [("1", Verb.ACKNOWLEDGE), ("2", Verb.ESCALATE), ("*", Verb.HELP), ("7", Verb.HELP), ("", Verb.HELP)],
)
def test_a_key_pressed_in_a_call_acts_on_the_page_that_was_read(key: str, verb: Verb) -> None:
    reply = _key(key)
    assert (reply.channel, reply.sender, reply.verb, reply.number) == ("voice", ANA, verb, 42)
    assert reply.context == {"page_id": 7, "call_sid": "CA" + "1" * 32}


def test_the_call_asks_twilio_to_send_the_key_where_it_is_read() -> None:
    assert voice.action_url("https://tocsin.example.org/", page()) == VOICE_URL


def test_the_sender_of_a_key_is_the_person_whoever_called() -> None:
    assert _key("1", outbound=True).sender == ANA
    assert _key("1", outbound=False).sender == ANA


def test_a_call_that_came_in_can_acknowledge_the_newest_page_but_escalate_nothing() -> None:
    url = "https://tocsin.example.org/replies/voice"
    assert (_key("1", url=url).verb, _key("1", url=url).number) == (Verb.ACKNOWLEDGE, None)
    assert _key("2", url=url).verb is Verb.HELP


def test_another_page_in_the_address_is_refused() -> None:
    form = fake_twilio.pressed_key("1", phone=ANA)
    with pytest.raises(ReplyRefusedError):
        voice.parse_reply(
            VOICE_URL.replace("42", "43"), form, fake_twilio.signature(VOICE_URL, form), fake_twilio.AUTH_TOKEN
        )


def test_the_request_in_twilios_own_documentation_verifies() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    url, signature = "https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert voice.parse_reply(url, form, signature, "12345").sender == "+14158675309"
