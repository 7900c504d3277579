from __future__ import annotations

import socket
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from escalation.channels import email
from escalation.channels.base import ChannelError, Sent
from tests.fakes.smtp import FakeMailServer
from tests.messages import ACKNOWLEDGED, NOW, announcement, brief, notice, notification, page

SENDER = "Tocsin <tocsin@pager.example.org>"


@pytest.fixture
def server() -> Iterator[FakeMailServer]:
    with FakeMailServer() as running:
        yield running


@pytest.fixture
def channel(server: FakeMailServer) -> email.Email:
    return email.Email(server.url, SENDER, now=lambda: NOW)


def _part(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def _refused(channel: email.Email, to: str = "ana@example.org") -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        channel.send(to, page())
    return refused.value


def test_a_page_arrives_as_text_and_html_with_the_link(server: FakeMailServer, channel: email.Email) -> None:
    sent = channel.send("ana@example.org", page())
    [letter] = server.to("ana@example.org")
    assert letter["Subject"].startswith("Page 42 CRITICAL constitutional: Hash chain broken")
    assert letter["From"] == SENDER
    assert letter["Date"].datetime == NOW
    assert letter["Importance"] == "high"
    assert _part(letter, "plain").startswith("You are paged at level 2.")
    assert 'href="https://tocsin.example.org/incidents/42"' in _part(letter, "html")
    assert sent.provider_id == letter["Message-ID"]


def test_letters_about_one_incident_form_a_thread_and_each_is_its_own(
    server: FakeMailServer, channel: email.Email
) -> None:
    channel.send("ana@example.org", page())
    channel.send("ana@example.org", notification(brief(), ACKNOWLEDGED))
    first, second = server.letters
    assert first["References"] == second["References"] == "<incident-42@pager.example.org>"
    assert first["Message-ID"] != second["Message-ID"]
    assert second["Importance"] is None


def test_a_letter_about_no_incident_is_in_no_incidents_thread(server: FakeMailServer, channel: email.Email) -> None:
    channel.send("ana@example.org", notice())
    [letter] = server.letters
    assert letter["References"] is None
    assert letter["Message-ID"].startswith("<notice.")
    assert letter["Subject"] == "Tocsin: Your turn has begun"


def test_an_absence_notice_is_asked_not_to_answer(server: FakeMailServer, channel: email.Email) -> None:
    channel.send("ana@example.org", page())
    assert server.letters[0]["Auto-Submitted"] == "auto-generated"


def test_text_from_outside_cannot_add_headers(server: FakeMailServer, channel: email.Email) -> None:
    channel.send("ana@example.org", page(brief(title="x\r\nBcc: eve@example.org\r\n\r\nbody")))
    [letter] = server.letters
    assert letter["Bcc"] is None
    assert server.recipients == ["ana@example.org"]
    assert letter["Subject"] == "Page 42 CRITICAL constitutional: x Bcc: eve@example.org body"


def test_any_writing_survives_the_journey(server: FakeMailServer, channel: email.Email) -> None:
    channel.send("ana@example.org", page(brief(title="磁盘已满 é 🔥 \ud800")))
    assert "磁盘已满 é 🔥" in server.letters[0]["Subject"]
    assert "磁盘已满 é 🔥" in _part(server.letters[0], "plain")


@pytest.mark.parametrize(
    ("command", "answer", "permanent"),
    [
        ("RCPT", "550 5.1.1 no such mailbox", True),
        ("RCPT", "450 4.2.1 mailbox busy", False),
        ("DATA", "554 5.7.1 refused as spam", True),
        ("DATA", "451 4.3.0 try later", False),
    ],
)
def test_a_refusal_is_permanent_if_the_mail_server_says_5xx(
    server: FakeMailServer, channel: email.Email, command: str, answer: str, permanent: bool
) -> None:
    server.answers[command] = answer
    refused = _refused(channel)
    assert (refused.code, refused.permanent) == (answer[:3], permanent)
    assert answer[10:] in str(refused)


@pytest.mark.parametrize(
    "to", ["", "ana", "ana@", "ana@example.org, eve@example.org", "ana@example.org\r\nBcc: eve@x.org"]
)
def test_what_is_no_address_is_a_permanent_failure_and_not_sent(
    server: FakeMailServer, channel: email.Email, to: str
) -> None:
    assert _refused(channel, to).permanent
    assert server.letters == []


def test_a_mail_server_that_is_not_there_is_a_passing_failure() -> None:
    with FakeMailServer() as gone:
        pass
    refused = _refused(email.Email(gone.url, SENDER))
    assert (refused.code, refused.permanent) == ("network", False)


def test_a_mail_server_that_never_answers_is_a_passing_failure_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        refused = _refused(email.Email(url, SENDER, timeout_seconds=0.05))
    assert not refused.permanent


def test_a_password_is_not_sent_unencrypted_to_another_machine(
    server: FakeMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url.replace("smtp://", "smtp://tocsin:secret@").replace("127.0.0.1", "mail.example.org")
    channel = email.Email(url, SENDER)
    # The name leads to the server on loopback, which offers no encryption, as a downgraded connection would.
    connect, port = socket.create_connection, int(url.rpartition(":")[2])
    monkeypatch.setattr(
        socket, "create_connection", lambda _, *rest, **more: connect(("127.0.0.1", port), *rest, **more)
    )
    refused = _refused(channel)
    assert (refused.code, refused.permanent) == ("unencrypted", True)
    assert server.letters == []


def test_the_password_in_the_url_logs_in() -> None:
    with FakeMailServer(user="tocsin", password="s3cret/") as server:
        channel = email.Email(server.url.replace("s3cret/", "s3cret%2F"), SENDER)
        channel.send("ana@example.org", page())
        assert len(server.letters) == 1


def test_a_wrong_password_is_permanent() -> None:
    with FakeMailServer(user="tocsin", password="right") as server:
        refused = _refused(email.Email(server.url.replace("right", "wrong"), SENDER))
        assert (refused.code, refused.permanent) == ("535", True)


def test_a_letter_cannot_be_edited(server: FakeMailServer, channel: email.Email) -> None:
    assert channel.update("ana@example.org", {}, announcement()) == Sent()
    assert server.letters == []
