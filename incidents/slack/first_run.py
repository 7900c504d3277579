"""Whether Slack works: what was tried, what came of it, and what exactly to do where it did not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from config.settings import Settings
from escalation.channels import wording
from escalation.channels.base import ChannelError
from escalation.channels.slack import SCOPES, SCOPES_FOR_MORE, Identity
from incidents.slack import manifest

APPS = "https://api.slack.com/apps"

MEANINGS = {
    "invalid_auth": "Slack does not know this token. Copy it again from “OAuth & Permissions” of the app.",
    "not_authed": "Slack does not know this token. Copy it again from “OAuth & Permissions” of the app.",
    "token_revoked": "The token was revoked. Install the app again and copy the new one.",
    "token_expired": "The token has run out. Switch token rotation off for the app, install it again, copy the new one.",
    "account_inactive": "The app was taken out of the workspace. Install it again and copy the new token.",
    "not_allowed_token_type": "This is no bot token. It begins with xoxb- and stands under “OAuth & Permissions”.",
    "network": "Slack could not be reached from here. Look at the way out of this machine, and at TOCSIN_SLACK_API_URL.",
}


class Connected(Protocol):
    def identity(self) -> Identity: ...

    def check_app_token(self, app_token: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Check:
    """`good` None: it is neither right nor wrong, or cannot be known yet."""

    what: str
    good: bool | None
    sentence: str
    advice: str = ""
    short: str = ""  # what the heading says of it, where that is not the usual

    @property
    def verdict(self) -> str:
        usual = {True: "works", False: "does not work", None: "not known yet"}
        return self.short or usual[self.good]


def checks(settings: Settings, slack: Connected | None, heard_at: datetime | None, now: datetime) -> list[Check]:
    """In the order in which they are to be put right. Asks Slack. `heard_at`: when somebody last did something there."""
    if slack is None:
        advice = "Make an app from the manifest below, install it, and set TOCSIN_SLACK_BOT_TOKEN to its bot token."
        return [Check("Bot token", False, "No bot token is set, so nobody is reached by Slack.", advice, "not set")]
    try:
        identity = slack.identity()
    except ChannelError as error:
        advice = MEANINGS.get(error.code, "Look the word up in Slack's documentation of auth.test.")
        return [Check("Bot token", False, str(error), advice), *_way_in(settings, slack, heard_at, now)]
    joined = f"It is {identity.user} in the workspace {identity.team}."
    return [
        Check("Bot token", True, joined),
        *_scopes(identity.scopes),
        *_way_in(settings, slack, heard_at, now),
    ]


def _scopes(granted: Collection[str]) -> list[Check]:
    if not granted:
        return [Check("Scopes", None, "Slack did not say what the token may do.")]
    found = []
    missing = [f"{scope} ({why})" for scope, why in SCOPES.items() if scope not in granted]
    advice = "Add it under “OAuth & Permissions”, then install the app again: until then the token stays as it is."
    if missing:
        found.append(Check("Scopes", False, f"Missing: {', '.join(missing)}.", advice, "not enough"))
    else:
        found.append(Check("Scopes", True, f"It may do what is needed: {', '.join(SCOPES)}."))
    wanted = [f"{scope} ({why})" for scope, why in SCOPES_FOR_MORE.items() if scope not in granted]
    if wanted:
        found.append(Check("Further scopes", None, f"Needed only for more: {', '.join(wanted)}.", advice, "not there"))
    return found


def _way_in(settings: Settings, slack: Connected, heard_at: datetime | None, now: datetime) -> list[Check]:
    found = []
    url = f"{settings.base_url.rstrip('/')}{manifest.PATH}"
    if settings.slack_app_token:
        found.append(_socket(settings.slack_app_token, slack))
    elif settings.slack_signing_secret:
        how = f"Slack must send to {url}, which must be reachable from the internet over HTTPS."
        reachable = (heard_at is not None or None) if url.startswith("https://") else False
        advice = "" if reachable is not False else "Set TOCSIN_BASE_URL to the public address, or use Socket Mode."
        found.append(
            Check("Signing secret", reachable, how, advice, "" if reachable is not None else "set, not tried yet")
        )
    else:
        advice = "Copy it from “Basic Information” of the app into TOCSIN_SLACK_SIGNING_SECRET."
        found.append(Check("Signing secret", False, "None is set, so no press can be trusted.", advice, "not set"))
    if heard_at is not None:
        found.append(Check("Buttons and commands", True, f"Somebody was heard at {wording.moment(heard_at, now)}."))
    else:
        advice = (
            "Send yourself the test message below and press its button. If nothing happens: is Interactivity on, is "
            f"its address {url}, and is the signing secret that of this app?"
        )
        if settings.slack_app_token:
            advice = (
                "Send yourself the test message below and press its button. If nothing happens: does the engine run?"
            )
        found.append(Check("Buttons and commands", None, "Nothing was heard from Slack for a day.", advice))
    return found


def _socket(app_token: str, slack: Connected) -> Check:
    try:
        slack.check_app_token(app_token)
    except ChannelError as error:
        advice = (
            "Make one under “Basic Information”, App-Level Tokens, with connections:write, and switch Socket Mode on."
        )
        return Check("Socket Mode", False, f"Slack opens no connection: {error}", advice)
    return Check("Socket Mode", True, "Slack opens connections; the engine process holds one.")
