"""What the settings of e-mail in may say, and what is told of those that cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from config.errors import SettingsError
from config.settings import Settings, read
from incidents import cli_check
from incidents.mail import cli

KEY = {"TOCSIN_SECRET_KEY": "k" * 32}


def problems(**settings: str) -> list[str]:
    try:
        read({**KEY, **{f"TOCSIN_{name}": value for name, value in settings.items()}})
    except SettingsError as refused:
        return refused.problems
    return []


@pytest.mark.parametrize(
    ("listen", "found"),
    [("0.0.0.0:25", ("0.0.0.0", 25)), ("[::]:2525", ("::", 2525)), ("mx.example.org:25", ("mx.example.org", 25))],
)
def test_where_to_listen_is_host_and_port(listen: str, found: tuple[str, int]) -> None:
    assert problems(MAIL_LISTEN=listen) == []
    assert Settings(mail_listen=listen).mail_address == found


@pytest.mark.parametrize("listen", ["25", ":25", "0.0.0.0", "0.0.0.0:0", "0.0.0.0:99999", "::1:25", "a b:25"])
def test_anything_else_is_told_with_an_example(listen: str) -> None:
    (problem,) = problems(MAIL_LISTEN=listen)
    assert "HOST:PORT" in problem


def test_a_domain_stands_alone_and_a_certificate_has_a_key(tmp_path: Path) -> None:
    assert problems(MAIL_DOMAIN="pager.example.org") == []
    for domain in ("https://pager.example.org", "a@b", "pager example", "-a", "a" * 300):
        assert len(problems(MAIL_DOMAIN=domain)) == 1
    file = tmp_path / "cert.pem"
    file.write_text("")
    assert "go together" in problems(MAIL_TLS_CERT=str(file))[0]
    assert len(problems(MAIL_TLS_CERT=str(file), MAIL_TLS_KEY=f"{file}.none")) == 1


def test_listening_without_a_domain_is_a_finding_of_check() -> None:
    (finding,) = cli_check._of_settings(Settings(mail_listen="0.0.0.0:25"))
    assert finding.severity == "warning"
    assert "TOCSIN_MAIL_DOMAIN" in finding.what
    assert "no address can be shown" in finding.sentence
    assert cli_check._of_settings(Settings(mail_listen="0.0.0.0:25", mail_domain="pager.example.org")) == []
    assert cli_check._of_settings(Settings()) == []


def test_the_command_says_what_is_missing_rather_than_listening_anywhere() -> None:
    def tools() -> cli.Tools:
        return cli.Tools(Settings(), None, None)  # type: ignore[arg-type]  # nothing is opened before it refuses

    said = CliRunner().invoke(cli.command(tools))
    assert said.exit_code == 1
    assert "TOCSIN_MAIL_LISTEN does not say where to listen" in said.output
