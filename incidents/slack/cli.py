"""`tocsin slack manifest`: what Slack's page for a new app asks for."""

from __future__ import annotations

import json
from collections.abc import Callable

import click
import yaml

from config.settings import Settings
from incidents.slack import manifest as manifests


def command(read_settings: Callable[[], Settings]) -> click.Group:
    @click.group("slack")
    def slack() -> None:
        """The Slack app."""

    @slack.command("manifest")
    @click.option("--socket", "socket_mode", is_flag=True, help="By Socket Mode: Slack need not reach this Tocsin.")
    @click.option("--json", "as_json", is_flag=True, help="JSON instead of YAML.")
    def manifest(socket_mode: bool, as_json: bool) -> None:
        """Print the app's manifest, with this installation's addresses. Paste it at api.slack.com/apps."""
        settings = read_settings()
        made = manifests.manifest(
            settings.base_url.rstrip("/"), socket_mode=socket_mode or bool(settings.slack_app_token)
        )
        click.echo(
            json.dumps(made, indent=2) if as_json else yaml.safe_dump(made, sort_keys=False, width=120), nl=False
        )
        if as_json:
            click.echo()

    return slack
