"""Letters come in over SMTP, from a real client to the real listener, and are stored before they are answered 250."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from config.database import Database
from incidents.mail import corridor, listener
from incidents.models import Alert, Integration, ReceivedPayload
from tests.contract import recorded
from tests.fakes import certificate
from tests.mailing import DOMAIN, FROM, MAIL_KEY, OTHER_KEY, TO, Site, config, letter, opened
from tests.world import KEY

LETTERS = recorded.KEPT / "email"


@pytest.fixture
def site(sqlite_database: Database) -> Iterator[Site]:
    with opened(sqlite_database) as found:
        yield found


def read_all(connection: socket.socket) -> bytes:
    found = b""
    while more := connection.recv(4_096):
        found += more
    return found


def recorded_letter(name: str) -> bytes:
    return (LETTERS / f"{name}.eml").read_bytes()


def test_a_letter_opens_an_incident_pages_and_its_end_resolves_it(database: Database) -> None:
    with opened(database) as site:
        assert site.send(recorded_letter("zabbix.problem")) == (250, "")
        assert site.incidents() == [("Problem: High CPU utilization (over 90% for 5m) on Köln-db1", "open")]
        assert site.rung == 1
        site.world.run()
        assert [sent.to for sent in site.world.sent("sms")] == ["+15005550101"]
        assert site.send(recorded_letter("zabbix.recovery")) == (250, "")
        assert site.incidents()[0][1] == "resolved"


def test_the_same_letter_twice_is_one_alert_and_opens_nothing_again_when_it_is_over(database: Database) -> None:
    with opened(database) as site:
        for name in ("nagios.problem", "nagios.problem", "nagios.recovery", "nagios.problem"):
            assert site.send(recorded_letter(name)) == (250, "")
        assert [status for _, status in site.incidents()] == ["resolved"]
        assert site.counts() == [1]


def test_a_letter_without_a_name_may_be_another_and_counts_each_time(site: Site) -> None:
    assert [site.send(letter(name="")) for _ in range(2)] == [(250, "")] * 2
    assert site.counts() == [2]


def test_the_same_letter_by_two_connections_at_once_is_one_alert(database: Database) -> None:
    with opened(database) as site, ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: site.send(letter()), range(4))) == {(250, "")}
        assert site.counts() == [1]


def test_an_address_may_be_written_in_any_case_and_names_the_alert_behind_a_plus(site: Site) -> None:
    site.send(letter("Disk 97 % full", name="<1@x>"), f"{MAIL_KEY.upper()}+Disk@Pager.Example.ORG")
    site.send(letter("Disk 98 % full", name="<2@x>"), f"{MAIL_KEY}+disk@{DOMAIN}")
    assert site.counts() == [2]
    with site.world.database.reading() as session:
        assert session.scalars(select(Alert.dedup_key)).one() == "disk"


def test_an_address_that_is_none_and_another_domains_are_refused(site: Site) -> None:
    code, words = site.send(letter(), f"{'f' * 32}@{DOMAIN}")
    assert (code, "tocsin.yaml" in words) == (550, True)
    code, words = site.send(letter(), "ana@example.net")
    assert code == 550
    assert "elaying denied" in words
    # The key of an integration that is not for letters opens nothing here.
    assert site.send(letter(), f"{KEY}@{DOMAIN}")[0] == 550
    assert site.send(letter(), f"{MAIL_KEY}@{DOMAIN}.evil.example")[0] == 550
    assert site.incidents() == []


def test_of_several_addresses_each_is_served_and_none_twice(site: Site) -> None:
    to = [TO, f"{OTHER_KEY}@{DOMAIN}", TO]
    assert site.send(letter(), *to) == (250, "")
    assert len(site.incidents()) == 2
    assert site.counts() == [1, 1]


def test_more_than_fifty_addresses_are_told_to_come_again(site: Site) -> None:
    with site.client() as client:
        client.ehlo()
        client.mail(FROM)
        codes = [client.rcpt(f"{MAIL_KEY}+{number}@{DOMAIN}")[0] for number in range(60)]
        assert codes == [250] * 50 + [452] * 10
        assert client.data(letter())[0] == 250
    assert len(site.incidents()) == 50


def test_whoever_guesses_addresses_is_hung_up_on(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.listener.port)) as rude, capture_logs() as logged:
        rude.settimeout(20)
        rude.sendall(b"EHLO x\r\nMAIL FROM:<>\r\n" + f"RCPT TO:<{'f' * 32}@{DOMAIN}>\r\n".encode() * 60)
        answer = read_all(rude)
    assert answer.count(b"\r\n550 ") == listener.REFUSALS_MAX - 1
    assert answer.splitlines()[-1].startswith(b"421 ")
    assert [line["event"] for line in logged] == ["somebody was hung up on for sending to addresses that are none"]


def test_a_letter_that_is_too_large_is_refused_and_the_limit_is_announced(site: Site) -> None:
    with site.client() as client:
        client.ehlo()
        assert client.esmtp_features["size"] == str(1024 * 1024)
        assert "auth" not in client.esmtp_features
        assert client.mail(FROM, [f"SIZE={2 * 1024 * 1024}"])[0] == 552
        client.rset()
        client.mail(FROM)
        client.rcpt(TO)
        assert client.data(b"Subject: x\r\n\r\n" + b"y\r\n" * 400_000)[0] == 552
        client.rset()
        client.sendmail(FROM, [TO], b"Subject: a line as long as a letter\r\n\r\n" + b"z" * 1_000_000)
    assert site.incidents() == [("a line as long as a letter", "open")]


def test_a_database_that_is_away_is_451_and_the_letter_is_taken_when_it_is_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Database("postgresql://nobody@127.0.0.1:1/none")
    with opened(database) as site:
        with site.client() as client, capture_logs() as logged, monkeypatch.context() as away:
            client.ehlo()
            client.mail(FROM)
            assert client.rcpt(TO)[0] == 250
            away.setattr(database, "transaction", dead.transaction)
            code, words = client.data(letter())
            assert (code, b"database" in words) == (451, True)
            away.setattr(database, "reading", dead.reading)
            client.mail(FROM)
            assert client.rcpt(TO)[0] == 451
        assert {line["event"] for line in logged} == {"a letter is not taken, the database does not answer"}
        assert site.incidents() == []
        assert site.send(letter()) == (250, "")
        assert len(site.incidents()) == 1


def test_a_fault_of_ours_is_451_and_logged_and_never_250(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(corridor.intake, "receive", broken)
    with capture_logs() as logged:
        code, words = site.send(letter())
    assert code == 451
    assert "fault of ours" not in words
    assert [line["event"] for line in logged] == ["a letter could not be taken"]
    assert MAIL_KEY not in repr(logged)


def test_bounces_and_absence_notices_are_refused_and_seen_and_what_a_monitor_writes_is_not(site: Site) -> None:
    assert site.send(recorded_letter("bounce.delivery-status"), sender="")[0] == 550
    assert site.send(recorded_letter("absence.auto-replied"))[0] == 550
    assert site.send(recorded_letter("cron.failure"), sender="") == (250, "")
    with site.world.database.reading() as session:
        rows = session.scalars(select(ReceivedPayload).order_by(ReceivedPayload.id)).all()
    assert [row.verdict for row in rows] == ["refused", "accepted"]  # of two alike one is kept
    assert "Cron <root@db1>" in rows[1].content
    assert MAIL_KEY not in rows[0].content + rows[1].content


def test_only_letters_of_the_declared_senders_are_taken(site: Site) -> None:
    site.world.apply(config(', from: ["*@zabbix.example.org", ana@example.org]'))
    assert site.send(recorded_letter("zabbix.problem")) == (250, "")
    code, words = site.send(letter())
    assert code == 550
    assert FROM in words
    with site.world.database.reading() as session:
        row = session.scalars(select(Integration).where(Integration.senders != [])).one()
    assert row.senders == ["*@zabbix.example.org", "ana@example.org"]


def test_a_header_that_holds_a_line_end_ends_there(site: Site) -> None:
    sent = b"From: a@example.org\r\nSubject: =?utf-8?Q?Disk=0D=0ABcc:_all@example.org=0D=0A=0D=0Ax?=\r\n\r\nfull\r\n"
    assert site.send(sent) == (250, "")
    ((title, _),) = site.incidents()
    assert title == "Disk Bcc: all@example.org x"


def test_many_letters_in_one_connection_are_all_stored(site: Site) -> None:
    with site.client() as client:
        for number in range(150):
            client.sendmail(FROM, [TO], letter(f"Disk full on db{number % 7}", name=f"<{number}@example.org>"))
    assert sum(site.counts()) == 150
    assert len(site.incidents()) == 7


def test_a_slow_client_holds_up_nobody_and_one_that_breaks_off_leaves_nothing(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.listener.port)) as slow:
        slow.sendall(f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{TO}>\r\nDATA\r\nSubject: half\r\n\r\nhal".encode())
        assert site.send(letter()) == (250, "")
    assert site.send(letter("another", name="<2@x>")) == (250, "")
    assert [title for title, _ in site.incidents()] == ["Disk full on db1", "another"]


def test_one_slow_letter_does_not_stop_another(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, inside = threading.Event(), threading.Event()

    def named(letter: Any, *_: str) -> str:
        if letter.subject == "slow":
            inside.set()
            assert goes_on.wait(20)
        return ""

    monkeypatch.setattr(corridor, "name_of", named)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(site.send, letter("slow"))
        assert inside.wait(20)
        assert site.send(letter("quick")) == (250, "")
        goes_on.set()
        assert waiting.result(20) == (250, "")


def test_who_comes_when_senders_have_all_places_is_asked_to_come_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "SESSIONS_MAX", 2)
    with site.client() as first, site.client() as second, capture_logs():
        for client in (first, second):
            client.ehlo()
            client.mail(FROM)
            assert client.rcpt(TO)[0] == 250
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            site.client()
        assert refused.value.smtp_code == 421
        assert second.noop()[0] == 250


def test_strangers_who_take_up_all_places_keep_no_letter_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "SESSIONS_MAX", 2)
    with site.client() as first, site.client() as second, capture_logs():
        first.ehlo()
        first.mail(FROM)
        assert first.rcpt("nobody@example.com")[0] == 550
        assert site.send(letter()) == (250, "")
        with pytest.raises(smtplib.SMTPServerDisconnected):  # after 421
            while True:
                first.noop()
        assert second.noop()[0] == 250


@pytest.mark.parametrize("tag", [b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80", "ü😀".encode()])
def test_a_letter_is_stored_whatever_bytes_stand_behind_the_plus(site: Site, tag: bytes) -> None:
    with site.client() as client:
        client.ehlo()
        client.mail(FROM, ["SMTPUTF8"])
        client.send(b"RCPT TO:<%s+%s@%s>\r\n" % (MAIL_KEY.encode(), tag, DOMAIN.encode()))
        assert client.getreply()[0] == 250
        assert client.data(letter())[0] == 250
    assert site.incidents() == [("Disk full on db1", "open")]


def test_a_session_that_says_nothing_is_ended(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "IDLE_SECONDS", 0.2)
    with opened(sqlite_database) as site, socket.create_connection(("127.0.0.1", site.listener.port)) as silent:
        silent.settimeout(20)
        assert silent.recv(1_000).startswith(b"220 ")
        assert silent.recv(1_000) == b""


def test_a_connection_may_be_encrypted(sqlite_database: Database, tmp_path: Path) -> None:
    made = certificate.made(tmp_path)
    context = listener.tls(made.certificate, made.key)
    with opened(sqlite_database, tls=context) as site, site.client() as client:
        client.starttls(context=made.trust)
        assert isinstance(client.sock, ssl.SSLSocket)
        client.sendmail(FROM, [TO], letter())
        assert "auth" not in client.esmtp_features
        assert len(site.incidents()) == 1


def test_without_a_domain_letters_are_taken_at_any(sqlite_database: Database) -> None:
    with opened(sqlite_database, domain="") as site:
        assert site.send(letter(), f"{MAIL_KEY}@whatever.example.net") == (250, "")


def test_junk_on_the_line_is_answered_and_harms_nothing(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.listener.port)) as rude:
        rude.settimeout(20)
        rude.sendall(
            b'EHLO x\r\n\xff\xfe\r\nMAIL FROM:<@@@>\r\nRCPT TO:<\xff>\r\nMAIL FROM:<a"@>\r\nGET / HTTP/1.1\r\nQUIT\r\n'
        )
        answer = read_all(rude)
    assert re.search(rb"221", answer)
    assert b"Traceback" not in answer
    assert site.send(letter()) == (250, "")
