from __future__ import annotations

import json

import yaml
from click.testing import CliRunner

from config.settings import Settings
from escalation.channels.slack import SCOPES, SCOPES_FOR_MORE
from incidents.slack import cli, manifest

BASE_URL = "https://tocsin.example.org"


def printed(*arguments: str, app_token: str = "") -> str:
    settings = Settings(base_url=f"{BASE_URL}/", slack_app_token=app_token)
    result = CliRunner().invoke(cli.command(lambda: settings), ["manifest", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_manifest_has_this_installations_addresses() -> None:
    made = yaml.safe_load(printed())
    assert made["settings"]["interactivity"] == {"is_enabled": True, "request_url": f"{BASE_URL}/replies/slack"}
    assert made["features"]["slash_commands"][0]["url"] == f"{BASE_URL}/replies/slack"
    assert made["settings"]["socket_mode_enabled"] is False
    assert json.loads(printed("--json")) == made


def test_with_socket_mode_nothing_needs_to_be_reachable() -> None:
    for made in (yaml.safe_load(printed("--socket")), yaml.safe_load(printed(app_token="xapp-1"))):
        assert made["settings"]["socket_mode_enabled"] is True
        assert BASE_URL not in json.dumps(made)


def test_the_app_asks_for_what_the_first_run_page_looks_for_and_nothing_else() -> None:
    assert set(manifest.BOT_SCOPES) == {*SCOPES, *SCOPES_FOR_MORE}


def test_it_keeps_to_slacks_limits() -> None:
    made = manifest.manifest(BASE_URL, socket_mode=False)
    (command,) = made["features"]["slash_commands"]
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
