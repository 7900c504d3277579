from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from escalation.channels import sms, twilio, voice
from escalation.channels.base import ChannelError, Sent, Verb
from tests.fakes import twilio as fake_twilio
from tests.fakes.providers import FakeProviders
from tests.messages import announcement, operational, page

ANA = "+351910000001"


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as running:
        yield running


def _account(
    providers: FakeProviders, *, sender: str = fake_twilio.SENDER, token: str = fake_twilio.AUTH_TOKEN
) -> twilio.Account:
    return twilio.Account(fake_twilio.ACCOUNT_SID, token, sender, api_url=providers.twilio_url)


@pytest.fixture
def texts(providers: FakeProviders) -> sms.Sms:
    return sms.Sms(_account(providers), "https://tocsin.example.org")


@pytest.fixture
def calls(providers: FakeProviders) -> voice.Voice:
    return voice.Voice(_account(providers), "https://tocsin.example.org")


def _refused(channel: sms.Sms | voice.Voice, to: str = ANA) -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        channel.send(to, page())
    return refused.value


def test_a_page_by_text_message_arrives_with_its_number(providers: FakeProviders, texts: sms.Sms) -> None:
    sent = texts.send(ANA, page())
    [arrived] = providers.sms_to(ANA)
    assert arrived.body.startswith("Tocsin 42 CRITICAL const: Hash chain broken")
    assert arrived.body.endswith("Reply ACK 42")
    assert (arrived.sender, sent) == (fake_twilio.SENDER, Sent(provider_id=arrived.sid))


def test_text_messages_can_come_from_a_messaging_service(providers: FakeProviders) -> None:
    pool = "MG" + "b" * 32
    sms.Sms(_account(providers, sender=pool)).send(ANA, page())
    assert providers.sms_to(ANA)[0].sender == pool


def test_a_page_by_call_is_read_aloud_and_its_key_comes_back_to_it(
    providers: FakeProviders, calls: voice.Voice
) -> None:
    sent = calls.send(ANA, page())
    [call] = providers.calls_to(ANA)
    assert sent.provider_id == call.sid
    assert "Incident 4 2. Hash chain broken" in call.spoken

    form = fake_twilio.pressed_key("1", phone=ANA)
    signature = fake_twilio.signature(call.action_url, form)
    reply = voice.parse_reply(call.action_url, form, signature, fake_twilio.AUTH_TOKEN)
    assert (reply.sender, reply.verb, reply.number) == (ANA, Verb.ACKNOWLEDGE, 42)
    assert reply.context["page_id"] == 7


def test_a_page_names_where_its_receipts_go_and_a_notice_has_none(
    providers: FakeProviders, texts: sms.Sms, calls: voice.Voice
) -> None:
    for channel in (texts, calls):
        channel.send(ANA, page())
    assert providers.sms_to(ANA)[0].callback == "https://tocsin.example.org/replies/sms/status?page=7"
    assert providers.calls_to(ANA)[0].callback == "https://tocsin.example.org/replies/voice/status?page=7"
    texts.send(ANA, announcement())
    assert providers.sms_to(ANA)[1].callback == ""


def test_a_page_goes_out_though_twilio_cannot_call_back(providers: FakeProviders) -> None:
    at_home = "http://127.0.0.1:8000"
    sms.Sms(_account(providers), at_home).send(ANA, page())
    voice.Voice(_account(providers), at_home).send(ANA, page())
    assert [each.callback for each in (*providers.sms_to(ANA), *providers.calls_to(ANA))] == ["", ""]


def test_neither_can_be_edited(providers: FakeProviders, texts: sms.Sms, calls: voice.Voice) -> None:
    assert texts.update(ANA, {}, announcement()) == Sent()
    assert calls.update(ANA, {}, announcement()) == Sent()
    assert providers.requests == []


@pytest.mark.parametrize(
    ("to", "text_code", "call_code"),
    [
        ("+15005550001", "21211", "21217"),  # not a number
        ("+15005550002", "21612", "21214"),  # cannot be reached
        ("+15005550003", "21408", "21215"),  # a country that is not allowed
        ("+15005550004", "21610", "21216"),  # replied STOP
        ("+15005550009", "21614", "21217"),  # no mobile
        ("not a number", "21211", "21217"),
    ],
)
def test_a_number_that_twilio_will_refuse_again_is_permanent(
    texts: sms.Sms, calls: voice.Voice, to: str, text_code: str, call_code: str
) -> None:
    assert (_refused(texts, to).code, _refused(texts, to).permanent) == (text_code, True)
    assert (_refused(calls, to).code, _refused(calls, to).permanent) == (call_code, True)


def test_a_wrong_auth_token_is_permanent(providers: FakeProviders) -> None:
    refused = _refused(sms.Sms(_account(providers, token="wrong")))
    assert (refused.code, refused.permanent) == ("20003", True)


def test_another_account_is_permanent(providers: FakeProviders) -> None:
    other = twilio.Account("AC" + "f" * 32, fake_twilio.AUTH_TOKEN, fake_twilio.SENDER, api_url=providers.twilio_url)
    assert _refused(sms.Sms(other)).permanent


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 503, "code": 20503}, "20503"),
        ({"status": 500, "code": 20500}, "20500"),
        ({"status": 503, "body": b"<html>upstream"}, "503"),
        ({"status": 400, "code": 21611}, "21611"),  # the sender's queue is full
        ({"drop": True}, "network"),
        ({"lose_answer": True}, "network"),
        ({"status": 201, "body": b"<html>"}, "garbled"),
    ],
)
def test_what_may_pass_is_not_permanent(
    providers: FakeProviders, texts: sms.Sms, calls: voice.Voice, fault: dict[str, object], code: str
) -> None:
    providers.fail("sms", **fault)  # type: ignore[arg-type]  # one fault a case
    providers.fail("voice", **fault)  # type: ignore[arg-type]  # one fault a case
    for refused in (_refused(texts), _refused(calls)):
        assert (refused.code, refused.permanent) == (code, False)


def test_twilio_says_how_long_to_wait_and_the_next_refusal_does_not_repeat_it(
    providers: FakeProviders, texts: sms.Sms
) -> None:
    providers.fail("sms", status=429, code=20429, retry_after=7)
    refused = _refused(texts)
    assert (refused.code, refused.permanent, refused.retry_after_seconds) == ("20429", False, 7.0)
    assert _refused(texts, "+15005550001").retry_after_seconds is None


def test_a_refusal_in_the_form_of_rfc_9457_is_understood(providers: FakeProviders, texts: sms.Sms) -> None:
    problem = b'{"type": "about:blank", "title": "Not a mobile", "status": 400, "code": 21614, "detail": "a landline"}'
    providers.fail("sms", status=400, body=problem)
    refused = _refused(texts)
    assert (refused.code, refused.permanent) == ("21614", True)
    assert "a landline" in str(refused)


@pytest.mark.parametrize("code", [b'"none"', b"1e400", b"9" * 100, b"[1]", b"true"])
def test_a_code_that_twilio_would_never_give_is_no_code(providers: FakeProviders, texts: sms.Sms, code: bytes) -> None:
    providers.fail("sms", status=503, body=b'{"code": ' + code + b', "message": "a proxy\'s\\u0000words"}')
    refused = _refused(texts)
    assert (refused.code, refused.permanent) == ("0", False)
    assert "a proxy's words" in str(refused)


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b"[" * 100_000], ids=["list", "null", "number", "nested"])
def test_json_that_is_no_answer_of_twilios_is_a_passing_failure(
    providers: FakeProviders, texts: sms.Sms, body: bytes
) -> None:
    providers.fail("sms", status=201, body=body)
    refused = _refused(texts)
    assert (refused.code, refused.permanent) == ("garbled", False)


@pytest.mark.parametrize("sid", [b'"' + b"S" * 300 + b'"', b'"SM\\u0000"', b"5", b'{"a": 1}'])
def test_a_name_that_twilio_would_never_give_is_not_kept(providers: FakeProviders, texts: sms.Sms, sid: bytes) -> None:
    providers.fail("sms", status=201, body=b'{"sid": ' + sid + b"}")
    assert texts.send(ANA, page()).provider_id == ""


def test_an_unknown_code_is_judged_by_its_http_status() -> None:
    assert twilio.is_permanent(99999, 400)
    assert not twilio.is_permanent(99999, 408)
    assert not twilio.is_permanent(99999, 502)
    assert not twilio.is_permanent(21211, 503)


def test_delivery_receipts_can_be_judged_by_the_same_table() -> None:
    assert not twilio.is_permanent(30003)  # switched off
    assert twilio.is_permanent(30006)  # a landline
    assert twilio.is_permanent(30007)  # filtered
    assert not twilio.is_permanent(30008)  # no reason given


def test_a_twilio_that_is_not_there_is_a_passing_failure() -> None:
    with FakeProviders() as gone:
        pass
    refused = _refused(sms.Sms(_account(gone)))
    assert (refused.code, refused.permanent) == ("network", False)


def test_a_twilio_that_never_answers_is_a_passing_failure_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        account = twilio.Account(
            fake_twilio.ACCOUNT_SID, fake_twilio.AUTH_TOKEN, fake_twilio.SENDER, api_url=url, timeout_seconds=0.05
        )
        refused = _refused(sms.Sms(account))
    assert (refused.code, refused.permanent) == ("network", False)


def test_each_send_is_tried_once_because_the_engine_decides_about_retries(
    providers: FakeProviders, texts: sms.Sms
) -> None:
    providers.fail("sms", drop=True, times=5)
    _refused(texts)
    assert len(providers.requests) == 1


def test_sends_of_one_thread_share_a_connection(providers: FakeProviders, texts: sms.Sms, calls: voice.Voice) -> None:
    for _ in range(3):
        texts.send(ANA, page())
    assert len({request.from_port for request in providers.requests}) == 1


def test_threads_that_send_at_once_get_their_own_answers(providers: FakeProviders, texts: sms.Sms) -> None:
    def send(number: int) -> tuple[str, str]:
        to = f"+3519100{number:05d}"
        return to, texts.send(to, page(operational(incident_id=number))).provider_id

    with ThreadPoolExecutor(8) as pool:
        sids = dict(pool.map(send, range(1, 41)))
    assert sids == {text.to: text.sid for text in providers.twilio.texts}
    assert len(set(sids.values())) == 40
