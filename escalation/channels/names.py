"""What people call the ways out and the ways back: one word for each, on pages, on timelines and in reviews. Pure.

Programs go by the keys: tocsin.yaml, the API and what is stored say `sms` and `voice`.
"""

from __future__ import annotations

NAMES = {
    "slack": "Slack",
    "sms": "SMS",
    "voice": "phone call",
    "email": "e-mail",
    "webhook": "webhook",
    "apprise": "Apprise",
    # Ways back only.
    "api": "API",
    "cli": "command line",
    "link": "link in a message",
    "web": "web",
}


def name(key: str) -> str:
    """As it stands within a sentence: paged by phone call. What has no name of its own goes by its key."""
    return NAMES.get(key, key)


def title(key: str) -> str:
    """As it stands first: Phone call."""
    called = name(key)
    return called[:1].upper() + called[1:]
