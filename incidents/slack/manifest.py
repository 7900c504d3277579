"""The app as Slack is to be told of it: what it may do, and where this installation is found. Pure."""

from __future__ import annotations

from typing import Any

COMMAND = "/incident"
PATH = "/replies/slack"
BOT_SCOPES = ("chat:write", "chat:write.public", "commands", "usergroups:write")


def manifest(base_url: str, *, socket_mode: bool) -> dict[str, Any]:
    """For api.slack.com/apps, "From a manifest". With Socket Mode nothing of this installation need be reachable."""
    url = {} if socket_mode else {"url": f"{base_url}{PATH}"}
    request_url = {} if socket_mode else {"request_url": f"{base_url}{PATH}"}
    command = {
        "command": COMMAND,
        "description": "What is open, who is on call, and what to do about it",
        "usage_hint": "list | show 42 | ack 42 | resolve 42 why | escalate 42 | note 42 text | who | open service text",
        "should_escape": False,
    }
    return {
        "display_information": {
            "name": "Tocsin",
            "description": "Pages whoever is on call, and takes their answer",
            "background_color": "#8c1d18",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,  # without it nobody can be written to directly
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Tocsin", "always_online": True},
            "slash_commands": [command | url],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "interactivity": {"is_enabled": True} | request_url,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }
