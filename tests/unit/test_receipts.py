from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.channels import twilio_errors, twilio_receipts
from escalation.channels.base import Fate, Receipt, ReplyRefusedError
from escalation.paging import receipts
from tests.fakes import twilio

SID = "SM" + "1" * 32
CALL = "CA" + "1" * 32
URL = "https://tocsin.example.org/replies/sms/status?page=7"


def _read(channel: str, form: dict[str, str], url: str = URL) -> Receipt | None:
    return twilio_receipts.parse(channel, url, form, twilio.signature(url, form), twilio.AUTH_TOKEN)


@given(st.lists(st.sampled_from(Fate), max_size=12))
def test_whatever_order_reports_come_in_the_first_end_stands(reports: list[Fate]) -> None:
    stands = Fate.UNDERWAY
    for reported in reports:
        before, stands = stands, receipts.forward(stands, reported)
        assert before in (Fate.UNDERWAY, stands)
    ends = [fate for fate in reports if fate is not Fate.UNDERWAY]
    assert stands is (ends[0] if ends else Fate.UNDERWAY)


@pytest.mark.parametrize(
    ("form", "fate", "code", "reason", "of_address"),
    [
        (twilio.text_status(SID, "sent"), Fate.UNDERWAY, "", "", False),
        (twilio.text_status(SID, "delivered"), Fate.DELIVERED, "", "", False),
        (twilio.text_status(SID, "undelivered", "30003"), Fate.FAILED, "30003", "switched off", False),
        (twilio.text_status(SID, "undelivered", "30005"), Fate.FAILED, "30005", "out of use", True),
        (twilio.text_status(SID, "failed"), Fate.FAILED, "failed", "no reason", False),
        (twilio.text_status(SID, "undelivered", "39999"), Fate.FAILED, "39999", "error 39999", False),
        (twilio.text_status(SID, "undelivered", "x" * 9), Fate.FAILED, "undelivered", "no reason", False),
    ],
)
def test_what_twilio_reports_of_a_text_message(
    form: dict[str, str], fate: Fate, code: str, reason: str, of_address: bool
) -> None:
    receipt = _read("sms", form)
    assert receipt is not None
    assert (receipt.fate, receipt.code, receipt.of_address) == (fate, code, of_address)
    assert reason in receipt.reason
    assert (receipt.provider_id, receipt.page_id) == (SID, 7)


@pytest.mark.parametrize(
    ("form", "fate", "reason"),
    [
        (twilio.call_status(CALL, "completed"), Fate.DELIVERED, ""),
        (twilio.call_status(CALL, "busy"), Fate.FAILED, "the line was busy"),
        (twilio.call_status(CALL, "no-answer"), Fate.FAILED, "nobody answered"),
        (twilio.call_status(CALL, "failed", SipResponseCode="404"), Fate.FAILED, "could not be placed (SIP 404)"),
        (twilio.call_status(CALL, "completed", AnsweredBy="machine_start"), Fate.FAILED, "a mailbox picked up"),
    ],
)
def test_what_twilio_reports_of_a_call(form: dict[str, str], fate: Fate, reason: str) -> None:
    receipt = _read("voice", form)
    assert receipt is not None
    assert receipt.fate is fate
    assert reason in receipt.reason


@pytest.mark.parametrize("status", ["queued", "sending", "accepted", "", "delivered "])
def test_a_step_on_the_way_decides_nothing(status: str) -> None:
    assert _read("sms", twilio.text_status(SID, status)) is None


def test_a_receipt_that_names_no_message_is_refused() -> None:
    for sid in ("", "SM/../x", "S" * 65):
        with pytest.raises(ReplyRefusedError):
            _read("sms", twilio.text_status(sid, "delivered"))


def test_a_page_that_is_no_number_is_none() -> None:
    receipt = _read("sms", twilio.text_status(SID, "delivered"), URL.replace("7", "9" * 30))
    assert receipt is not None
    assert receipt.page_id is None


def test_every_code_says_what_it_means_in_words() -> None:
    assert all(meaning.words[0].islower() or meaning.words[0] == "T" for meaning in twilio_errors.MEANINGS.values())
    assert all(not meaning.words.endswith(".") for meaning in twilio_errors.MEANINGS.values())
