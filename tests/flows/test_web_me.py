"""What people do on the page of what is their own, with forms and nothing else."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from config import audit, auth
from config.database import Database
from escalation import responders
from tests.contacting import NEW
from tests.flows.test_own_rules import LEFT_OPEN
from tests.pages import Pages, section, words
from tests.world import World, refused


@pytest.fixture
def pages(sqlite_database: Database) -> Pages:
    return Pages(World(sqlite_database, config=LEFT_OPEN))


def told(client: FlaskClient, path: str, form: dict[str, str | list[str]] | None = None) -> str:
    response = client.post(path, data=form or {})
    assert response.status_code == 303, response.text
    return words(client.get(response.location))


def number_of(page: str, address: str) -> int:
    found = re.search(rf'id="contact-(\d+)">\s*<h3>[^<]*<span class="mono">{re.escape(address)}', page)
    assert found is not None
    return int(found[1])


def test_a_number_is_added_and_confirmed_on_the_page(pages: Pages) -> None:
    ana = pages.by()
    assert told(ana, "/me/contacts", {"channel": "sms", "address": NEW}).startswith("Added. It is not used yet")
    path = f"/me/contacts/{number_of(ana.get('/me').text, NEW)}"
    assert "A code is on its way by SMS" in told(ana, f"{path}/code")
    pages.world.run()
    assert pages.woken > 0
    code = re.search(r"\d{6}", pages.world.sent("sms", to=NEW)[0].message.note)
    assert code is not None
    page = ana.get("/me").text
    assert 'autocomplete="one-time-code"' in page
    assert code[0] not in page
    assert "That is not the code" in told(ana, f"{path}/verify", {"code": "000000" if code[0] != "000000" else "1"})
    assert "Confirmed: SMS" in told(ana, f"{path}/verify", {"code": code[0]})
    assert "confirmed in use" in words(ana.get("/me"))
    assert "Removed" in told(ana, f"{path}/remove")


def test_a_test_page_shows_its_result(pages: Pages) -> None:
    ana = pages.by()
    path = f"/me/contacts/{number_of(ana.get('/me').text, 'U0ANA')}"
    assert "A test page is on its way" in told(ana, f"{path}/test")
    pages.world.run()
    assert "Test page, now : sent the provider took it. Did it arrive?" in words(ana.get("/me"))
    pages.world.channels["slack"].faults = [refused()]
    told(ana, f"{path}/test")
    pages.world.run()
    assert "failed The number is not a valid phone number." in words(ana.get("/me"))


def test_a_refusal_is_told_on_the_page(pages: Pages) -> None:
    ana = pages.by()
    assert "is not a phone number" in told(ana, "/me/contacts", {"channel": "sms", "address": "12"})
    declared = number_of(ana.get("/me").text, "U0ANA")
    assert "declared in the configuration file" in told(ana, f"/me/contacts/{declared}/remove")
    assert ana.post("/me/contacts/999/code").status_code == 404


def rows(*steps: tuple[str, str, str, str]) -> dict[str, str | list[str]]:
    columns = list(zip(*steps, strict=True))
    return {f"high-{name}": list(column) for name, column in zip(("after", "by", "from", "to"), columns, strict=True)}


def test_rules_are_edited_row_by_row(pages: Pages) -> None:
    ana = pages.by()
    form = rows(("", "voice", "22:00", "07:00"), ("2m", "sms", "", ""), ("", "", "", ""))
    assert told(ana, "/me/rules", form).startswith("Kept.")
    page = ana.get("/me").text
    assert 'name="high-from" value="22:00"' in page
    assert 'name="high-after" value="2m"' in page
    assert 'name="low-after" value="0s"' in page


def test_rules_with_a_mistake_stay_in_the_form_to_be_mended(pages: Pages) -> None:
    answer = pages.by().post("/me/rules", data=rows(("0s", "slack", "", ""), ("soon", "sms", "", "")))
    assert answer.status_code == 422
    assert "When I am paged, step 2: after" in words(answer)
    assert 'name="high-after" value="soon"' in answer.text


def test_quiet_hours_are_set_and_emptied(pages: Pages) -> None:
    ana = pages.by()
    assert told(ana, "/me/quiet", {"from": "22:00", "to": "07:00"}).startswith("Kept.")
    assert 'name="from" value="22:00"' in ana.get("/me").text
    assert "to is missing" in told(ana, "/me/quiet", {"from": "22:00", "to": ""})
    assert "no quiet hours any more" in told(ana, "/me/quiet", {"from": "", "to": ""})


def test_what_the_file_declares_is_told_and_not_editable(pages: Pages) -> None:
    page = pages.by("bo").get("/me")
    assert "Your rules are declared in the configuration file" in words(page)
    assert 'action="/me/rules"' not in page.text
    assert "At once: SMS" in section(page, "How I want to be paged")


def test_nothing_is_changed_without_the_forms_token(pages: Pages) -> None:
    stranger = pages.stranger()
    assert stranger.get("/me").status_code == 302
    assert stranger.post("/me/contacts", data={"channel": "sms", "address": NEW}).status_code in (302, 400, 403)


def test_a_program_has_no_page_of_its_own(pages: Pages) -> None:
    assert pages.by(role="observer").get("/me").status_code == 403


def test_ones_own_tokens_are_shown_and_revoked_and_nobody_elses(pages: Pages) -> None:
    def made(key: str, name: str) -> tuple[str, int]:
        with pages.world.database.transaction() as session:
            person = responders.by_key(session, key)
            assert person is not None
            token = auth.create_token(session, name=name, responder_id=person.id, now=pages.world.now)
            known = auth.find_token(session, token)
            assert known is not None
            return token, known.id

    ana = pages.by()
    (mine, number), (theirs, other) = made("ana", "lost laptop"), made("bo", "his script")
    read = words(ana.get("/me"))
    assert f"{number} · lost laptop , made" in read
    assert "his script" not in read and mine not in ana.get("/me").text
    assert ana.post(f"/me/tokens/{other}/revoke").status_code == 404
    assert f"Revoked: token {number}, lost laptop." in told(ana, f"/me/tokens/{number}/revoke")
    assert "lost laptop , made" not in words(ana.get("/me"))
    with pages.world.database.reading() as session:
        assert auth.find_token(session, mine) is None and auth.find_token(session, theirs) is not None
        assert audit.entries(session, limit=1)[0].text.startswith(f"- token {number} (lost laptop)")
