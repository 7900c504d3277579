"""People answer the letters that paged them: from a real letter's Reply-To to the letter that says what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from config.database import Database
from escalation.channels.email import Email
from escalation.models import Page
from escalation.paging.models import Notice
from incidents.mail import answering
from tests.fakes.smtp import FakeMailServer
from tests.mailing import ADDRESSES, DOMAIN, Site, opened
from tests.world import STORE_KEY

LONG_ID = "<AM0PR0402MB3905ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCD@AM0PR0402MB3905.eurprd04.prod.outlook.com>"


class Post:
    """Ana is paged by letter; what is sent to her lies in `server`."""

    def __init__(self, site: Site, server: FakeMailServer) -> None:
        self.site, self.world, self.server = site, site.world, server
        sender = "Tocsin <tocsin@pager.example.org>"
        real = Email(server.url, sender, replies=ADDRESSES, origin=self.world.desk.base_url, now=lambda: self.world.now)
        self.world.channels["email"] = real  # type: ignore[assignment]  # the real one in the fake's place

    def paged(self, title: str = "Observer API down", **more: Any) -> tuple[int, EmailMessage]:
        number = self.world.alert(title, **more)
        return number, self.server.to("ana@example.org")[-1]

    def answer(
        self, to: str, text: str, *, name: str = "<a1@example.org>", author: str = "Ana <ana@example.org>",
        sender: str = "ana@example.org", **headers: str,
    ) -> tuple[int, str]:  # fmt: skip
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = author, to, "Re: Page"
        if name:
            made["Message-ID"] = name
        for header, value in headers.items():
            made[header.replace("_", "-")] = value
        made.set_content(text)
        found = self.site.send(made.as_bytes(), to, sender=sender)
        self.world.run()
        return found

    def said(self, address: str = "ana@example.org") -> list[EmailMessage]:
        """The answers that went to somebody."""
        return [each for each in self.server.to(address) if each["Auto-Submitted"] == "auto-replied"]

    def status(self, number: int) -> str:
        return self.world.incident(number).status


@contextmanager
def post_office(database: Database) -> Iterator[Post]:
    with FakeMailServer() as server, opened(database, ana_by="[{after: 0s, by: email}]") as site:
        yield Post(site, server)


@pytest.fixture
def post(sqlite_database: Database) -> Iterator[Post]:
    with post_office(sqlite_database) as found:
        yield found


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_ack_on_the_first_line_acknowledges_once_and_the_answer_says_so(database: Database) -> None:
    with post_office(database) as post:
        number, letter = post.paged()
        assert letter["Reply-To"].endswith(f"@{DOMAIN}")
        assert "You may also reply to this letter" in text_of(letter)
        quoted = "\n".join(f"> {line}" for line in text_of(letter).splitlines())
        for _ in range(2):  # the mail server did not see the 250
            sent = post.answer(letter["Reply-To"], f"Ack\n\nOn Friday Tocsin wrote:\n{quoted}", name=LONG_ID)
            assert sent == (250, "")
        assert post.status(number) == "acknowledged"
        (answer,) = post.said()
        assert answer["Subject"] == f"Tocsin: Acknowledged: {number} is yours. Paging has stopped."
        assert answer["In-Reply-To"] == LONG_ID
        assert answer["Reply-To"] == letter["Reply-To"]
        assert f"As it stands: {number} HIGH Observer API down (acknowledged)." in text_of(answer)
        assert "On the first line" not in text_of(answer)
        assert post.world.kinds(number).count("incident.acknowledged") == 1
        (entry,) = [each for each in post.world.timeline(number) if each.kind == "incident.acknowledged"]
        assert entry.text == "Ana Lima acknowledged by e-mail."


def test_who_is_second_hears_who_was_first_and_when(post: Post) -> None:
    number, letter = post.paged()
    post.world.acknowledge(number, by="bo")
    post.answer(letter["Reply-To"], "ack")
    assert "already acknowledged by Bo Chen at 11:00 UTC" in post.said()[0]["Subject"]


def test_several_commands_by_one_address_each_count(post: Post) -> None:
    number, letter = post.paged()
    post.answer(letter["Reply-To"], "escalate", name="<1@x>")
    assert [sent.to for sent in post.world.sent("sms")] == ["+15005550102"]
    post.answer(letter["Reply-To"], "ack", name="<2@x>")
    post.answer(letter["Reply-To"], "resolve restarted the primary", name="<3@x>")
    assert post.status(number) == "resolved"
    assert post.world.incident(number).resolution == "restarted the primary"
    assert len(post.said()) == 3


def test_two_keepers_must_still_agree_to_resolve_what_is_constitutional(post: Post) -> None:
    number, letter = post.paged("Hash chain broken", key=STORE_KEY, dedup_key="chain")
    post.answer(letter["Reply-To"], "resolve it is fine")
    assert post.status(number) != "resolved"
    assert "waits for two keepers' approval" in post.said()[0]["Subject"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I am on it", "Not understood: “I am on it”. Nothing was done."),
        ("> ack", "Your letter has no word of yours above what it quotes. Nothing was done."),
        ("ack 4711", "and you wrote 4711. Nothing was done."),
    ],
)
def test_nothing_is_guessed_and_the_answer_says_how(post: Post, text: str, said: str) -> None:
    number, letter = post.paged()
    post.answer(letter["Reply-To"], text)
    assert post.status(number) == "open"
    (answer,) = post.said()
    assert answer["Subject"].endswith(said)
    assert "On the first line of your answer write ACK" in text_of(answer)
    assert "(open), and paging goes on." in text_of(answer)


def test_ack_all_takes_what_the_letter_told_of_and_ack_alone_the_worst(post: Post) -> None:
    for number in range(4):
        post.world.alert(f"Disk full on db{number}", dedup_key=f"db{number}")
    post.world.fast_forward(seconds=70)
    letter = next(each for each in post.server.to("ana@example.org") if "ACK ALL" in text_of(each))
    post.answer(letter["Reply-To"], "ack", name="<1@x>")
    assert "1 more that wait: ACK ALL takes them" in text_of(post.said()[0])
    post.answer(letter["Reply-To"], "ACK ALL", name="<2@x>")
    assert [post.status(number) for number in (3, 4)] == ["acknowledged"] * 2
    assert [post.status(number) for number in (1, 2)] == ["open"] * 2


def test_a_forged_address_is_refused_and_one_of_yesterday_says_so(post: Post) -> None:
    number, letter = post.paged()
    address = str(letter["Reply-To"])
    assert post.answer(address.replace("@", "a@"), "ack")[0] == 550
    assert post.answer(f"reply+1-t2k9nf-{'a' * 26}@{DOMAIN}", "ack")[0] == 550
    assert post.answer(f"reply@{DOMAIN}", "ack")[0] == 550
    post.world.now += timedelta(hours=24)
    assert post.answer(address, "ack") == (250, "")
    assert post.status(number) == "open"
    (answer,) = post.said()
    assert "more than a day old. Nothing was done" in answer["Subject"]
    assert answer["Reply-To"] is None
    assert f"/incidents/{number}" in text_of(answer)


def test_another_persons_letter_cannot_be_answered_and_a_strangers_address_can_be_anybodys(post: Post) -> None:
    number, letter = post.paged()
    with capture_logs() as logged:
        post.answer(letter["Reply-To"], "ack", author="bo@example.org", name="<1@x>")
    assert [line["log_level"] for line in logged if line["event"].startswith("an answer by another")] == ["warning"]
    assert post.status(number) == "open"
    (told,) = post.said("bo@example.org")
    assert "went to Ana Lima. Nothing was done" in told["Subject"]
    assert told["Reply-To"] is None
    post.answer(letter["Reply-To"], "ack", author="ana.lima@private.example", name="<2@x>")
    assert post.status(number) == "acknowledged"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"sender": ""},
        {"author": "MAILER-DAEMON@example.org"},
    ],
)
def test_what_writes_by_itself_never_acts_and_is_never_answered(post: Post, headers: dict[str, str]) -> None:
    number, letter = post.paged()
    assert post.answer(letter["Reply-To"], "ack", **headers) == (250, "")
    assert post.status(number) == "open"
    assert post.said() == []


def test_two_mailboxes_that_answer_each_other_come_to_an_end(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "ANSWERS_MAX", 3)
    _, letter = post.paged()
    with capture_logs():
        for number in range(6):
            post.answer(letter["Reply-To"], "thank you", name=f"<{number}@x>")
    assert len(post.said()) == 3


def test_a_line_end_in_an_answer_reaches_no_header(post: Post) -> None:
    _, letter = post.paged()
    sent = (
        f"From: ana@example.org\r\nTo: {letter['Reply-To']}\r\nMessage-ID: <a@x>\r\n Bcc: <all@example.org>\r\n"
        "Subject: x\r\nContent-Type: text/html\r\n\r\n<p>what&#13;&#10;Bcc: all@example.org</p>\r\n"
    )
    post.site.send(sent.encode(), str(letter["Reply-To"]))
    post.world.run()
    (answer,) = post.said()
    assert answer["Bcc"] is None
    assert answer["In-Reply-To"] is None
    assert answer["Subject"].startswith("Tocsin: Not understood: “what")


def test_a_person_who_is_gone_has_no_address_any_more(post: Post) -> None:
    number, letter = post.paged()
    with post.world.database.transaction() as session:
        page = session.scalars(select(Page)).first()
        assert page is not None
        answering.responders.by_id(session, page.responder_id).active = False  # type: ignore[union-attr]  # is there
    assert post.answer(letter["Reply-To"], "ack")[0] == 550
    assert post.status(number) == "open"


def test_the_answer_outlives_a_mail_server_that_is_away(post: Post) -> None:
    number, letter = post.paged()
    post.server.answers["RCPT"] = "450 come later"
    post.answer(letter["Reply-To"], "ack")
    assert post.status(number) == "acknowledged"
    assert post.said() == []
    post.world.fast_forward(seconds=10)
    assert len(post.said()) == 1
    with post.world.database.reading() as session:
        assert [row.kind for row in session.scalars(select(Notice))] == ["answer"]


def test_a_page_that_leads_back_to_an_integration_opens_no_incident_that_pages_again(post: Post) -> None:
    number, letter = post.paged()
    code, words = post.site.send(letter.as_bytes())
    assert (code, words.startswith("5.7.1 It is a letter of this tocsin's own")) == (550, True)
    assert [row[1] for row in post.site.incidents()] == ["open"]
    del letter["X-Tocsin"]
    letter["X-Tocsin"] = "https://another.example.org"
    assert post.site.send(letter.as_bytes()) == (250, "")
    assert len(post.site.incidents()) == 2 and number == 1
