"""Whatever bytes arrive, a letter is read, what can be stored is kept, and nothing of a plain one is lost."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incidents.sources import email, html_text, letters
from incidents.sources.base import PayloadRefusedError
from tests.contract import recorded
from tests.unit.test_source_properties import NOW, expect_sound

bounded = settings(max_examples=150, deadline=None, database=None, derandomize=True)
FILES = sorted((recorded.KEPT / "email").glob("*.eml"))
HEADERS = ["Content-Type", "Content-Transfer-Encoding", "Subject", "From", "Date", "Message-ID", "Auto-Submitted"]
VALUES = [
    b"multipart/mixed; boundary=a",
    b"multipart/alternative; boundary",
    b"message/rfc822",
    b"text/html; charset=\xff",
    b"text/plain; charset=unicode_escape",
    b"text/plain; charset*=utf-8''%zz",
    b"base64",
    b"quoted-printable",
    b"x-uuencode",
    b"=?utf-8?Q?=ff=fe?=",
    b"=?x?B?!!?= =?utf-7?Q?+?=",
    b"<@>",
    b"Fri, 99 Nov 99999 99:99:99 +9999",
]


@st.composite
def resembling(draw: st.DrawFn) -> bytes:
    """A recorded letter with a few of its bytes replaced, its headers with others before them, or cut anywhere."""
    data = draw(st.sampled_from(FILES)).read_bytes()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        data = data[:at] + draw(st.binary(max_size=12)) + data[at + draw(st.integers(0, 12)) :]
    for _ in range(draw(st.integers(0, 3))):
        name, value = draw(st.sampled_from(HEADERS)), draw(st.sampled_from(VALUES) | st.binary(max_size=30))
        data = name.encode() + b": " + value + b"\n" + data
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


@bounded
@given(st.binary(max_size=400) | resembling())
@example(
    b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 2_000
)
@example(b"Subject: " + b"=?utf-8?B?" * 5_000 + b"\n\n")
@example(b"Subject: a\r\nBcc: b\r\n\r\n")
def test_any_bytes_are_a_letter_and_a_sound_alert_or_a_refusal_and_always_the_same(data: bytes) -> None:
    letter = letters.read(data)
    assert letters.read(data) == letter
    assert "\n" not in letter.subject + letter.message_id + letter.sender
    try:
        alerts = email.parse(data, now=NOW)
    except PayloadRefusedError:
        return
    for alert in alerts:
        expect_sound(alert)


words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]), max_size=60)


@bounded
@given(words, st.lists(words, max_size=6), st.sampled_from(["7bit", "base64", "quoted-printable"]))
def test_what_a_letter_says_is_kept_whole_however_it_is_encoded(subject: str, lines: list[str], how: str) -> None:
    made = EmailMessage()
    made["From"] = "mon@example.org"
    made["Subject"] = " ".join(subject.split())
    made.set_content("\n".join(lines) + "\n", cte=how if how != "7bit" else None)
    letter = letters.read(made.as_bytes())
    for line in lines:
        assert line.strip() in letter.text
    assert "".join(letter.subject.split()) == "".join(subject.split())


@bounded
@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["<p>", "<", "<!", "<![", "</", "a", "&", "&#x", ">", "--"])).map("".join)
)
def test_any_html_is_text(document: str) -> None:
    assert isinstance(html_text.text(document), str)


def test_html_does_not_run_and_a_quotation_is_marked() -> None:
    found = html_text.text(
        "<style>p{}</style><script>alert(1)</script><p>ack</p><div>On Friday Tocsin wrote:</div>"
        "<blockquote>Page 42<br>Acknowledge</blockquote><a href='javascript:x'>click</a>"
    )
    assert found.splitlines() == ["ack", "", "On Friday Tocsin wrote:", "", "> Page 42", "> Acknowledge", "click"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<a.b@c>", "<a.b@c>"),
        ("a.b@c", ""),
        ("<a b@c>", ""),
        ("<a>\r\nBcc: <b>", ""),
        ("<é@c>", ""),
        (f"<{'a' * 300}>", ""),
    ],
)
def test_only_a_message_id_that_may_stand_in_an_answer_is_taken(written: str, kept: str) -> None:
    assert letters.read(f"Message-ID: {written}\n\nx".encode()).message_id == kept


def test_what_is_too_much_is_cut_and_said() -> None:
    many = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * (letters.PARTS_MAX + 50)
    assert "it has more parts than are read" in letters.read(many).notes
    assert len(letters.read(b"\n\n" + b"x" * 900_000).text) == letters.TEXT_CHARACTERS_MAX
    assert not re.search("[\x00-\x08]", letters.read(b"Subject: a\x00\x01\n\n\x00").subject)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_letter_of_nothing_but_boundaries_is_not_taken_apart(end: bytes) -> None:
    """The parser would take seconds for a mebibyte of them, by whichever line end."""
    form = b"Subject: a" + end + b'Content-Type: multipart/mixed; boundary="b"' + end * 2
    found = letters.read(form + (end + b"--b" + end) * 2_000)
    assert found.notes == ("its form is too intricate to be read", *found.notes[1:])
