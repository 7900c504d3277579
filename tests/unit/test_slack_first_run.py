from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.settings import Settings
from escalation.channels.base import ChannelError
from escalation.channels.slack import SCOPES, Identity
from incidents.slack import first_run
from incidents.slack.first_run import Check

NOW = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)
ALL = frozenset({*SCOPES, "chat:write.public", "usergroups:write"})


class Slack:
    """Knows the token unless `error` is set, and an app token that ends in `good`."""

    def __init__(self, scopes: frozenset[str] = ALL, error: str = "") -> None:
        self.scopes, self.error = scopes, error

    def identity(self) -> Identity:
        if self.error:
            raise ChannelError(f"Slack refused it: {self.error}", permanent=True, code=self.error)
        return Identity("Example", "tocsin", "https://example.slack.com/", self.scopes)

    def check_app_token(self, app_token: str) -> None:
        if not app_token.endswith("good"):
            raise ChannelError("Slack refused it: invalid_auth", permanent=True, code="invalid_auth")


def checks(slack: Slack | None, heard_at: datetime | None = NOW, **settings: str) -> dict[str, Check]:
    made = Settings(**{"base_url": "https://tocsin.example.org", "slack_signing_secret": "s"} | settings)  # type: ignore[arg-type]  # texts only
    return {each.what: each for each in first_run.checks(made, slack, heard_at, NOW)}


def test_all_is_well() -> None:
    found = checks(Slack(), slack_app_token="xapp-good")
    assert [each.good for each in found.values()] == [True, True, True, True]


def test_without_a_token_it_says_where_one_comes_from() -> None:
    (check,) = checks(None).values()
    assert check.good is False
    assert "TOCSIN_SLACK_BOT_TOKEN" in check.advice


@pytest.mark.parametrize("code", [*first_run.MEANINGS, "something_new"])
def test_a_token_that_slack_refuses_is_told_with_what_to_do(code: str) -> None:
    check = checks(Slack(error=code))["Bot token"]
    assert (check.good, bool(check.advice)) == (False, True)


def test_a_missing_scope_is_named_with_what_it_is_for() -> None:
    found = checks(Slack(frozenset({"chat:write"})))
    assert found["Scopes"].sentence == "Missing: commands (for /incident)."
    assert found["Further scopes"].good is None


def test_an_address_that_slack_cannot_reach_is_a_problem_unless_there_is_a_line() -> None:
    assert checks(Slack(), base_url="http://127.0.0.1:8000")["Signing secret"].good is False
    assert "Signing secret" not in checks(Slack(), base_url="http://127.0.0.1:8000", slack_app_token="xapp-good")


def test_no_signing_secret_and_a_wrong_app_token_are_problems() -> None:
    assert checks(Slack(), slack_signing_secret="")["Signing secret"].good is False
    assert checks(Slack(), slack_app_token="xapp-bad")["Socket Mode"].good is False


def test_silence_is_no_proof_of_anything() -> None:
    check = checks(Slack(), heard_at=None)["Buttons and commands"]
    assert check.good is None
    assert "press its button" in check.advice
