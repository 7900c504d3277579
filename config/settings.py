"""Settings from the environment (`TOCSIN_…`). Every problem is reported at once, each with what to do."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from config import mail_in, per_channel, twilio_senders
from config.errors import SettingsError

SHIPPED_RULES = Path(__file__).parent / "rules"
PREFIX = "TOCSIN_"
HOST, PORT = "127.0.0.1", 8000
SECRET_KEY_CHARACTERS_MIN = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """One field a setting: `TOCSIN_` and the field's name in capitals. Empty means: not configured."""

    database_url: str = "sqlite:///var/tocsin.db"
    config: str = ""  # path of a tocsin.yaml that is applied at start
    base_url: str = (
        "http://127.0.0.1:8000"  # by default host and port; where people's browsers and phones find this Tocsin
    )
    secret_key: str = field(default="", repr=False)  # signs sessions and action links
    slack_bot_token: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    slack_app_token: str = field(default="", repr=False)  # xapp-…: Socket Mode, which needs no public address
    slack_mentions: bool = False  # announcements in Slack name whoever has been paged
    slack_api_url: str = "https://slack.com/api/"
    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    twilio_from: str = ""  # a number or a messaging service; also by country: +1…,GB=+44…,voice=+1…
    twilio_api_url: str = "https://api.twilio.com"
    smtp_url: str = field(default="", repr=False)  # smtp://user:password@host:587 or smtps://…
    smtp_from: str = "Tocsin <tocsin@localhost>"
    mail_listen: str = ""  # HOST:PORT where letters are taken in; empty: they are not
    mail_domain: str = ""  # what stands behind the @ of the addresses that letters are taken at
    mail_tls_cert: str = ""  # paths of PEM files; with them connections may be encrypted
    mail_tls_key: str = ""
    rates: str = ""  # sms=20,voice=2: messages a second that a provider's account is given
    bundle_windows: str = ""  # sms=20,voice=60: seconds in which pages to one person are told together
    watchdog_url: str = field(default="", repr=False)  # told every minute that all is well; silence means it is not
    runbooks_dir: str = ""  # empty: the shipped library
    rules_dir: str = ""  # empty: the shipped rules
    host: str = HOST
    port: int = PORT
    log_level: str = "INFO"
    demo: bool = False  # pages go to the console page instead of to people

    @property
    def rules_path(self) -> Path:
        return Path(self.rules_dir) if self.rules_dir else SHIPPED_RULES

    @property
    def rates_a_second(self) -> dict[str, float]:
        return per_channel.RATES.read(self.rates)

    @property
    def windows_seconds(self) -> dict[str, float]:
        return per_channel.WINDOWS.read(self.bundle_windows)

    @property
    def mail_address(self) -> tuple[str, int]:
        return mail_in.address(self.mail_listen)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environment` (default: the process's). Raises SettingsError with every problem."""
    env = os.environ if environment is None else environment
    problems: list[str] = []
    values: dict[str, object] = {}
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    for name, setting in known.items():
        text = env.get(name, "").strip()
        if not text:
            continue
        if setting.type == "int":
            if text.isdigit() and 0 < int(text) < 65536:
                values[setting.name] = int(text)
            else:
                problems.append(f"{name} is {text!r}; it must be a port number from 1 to 65535.")
        elif setting.type == "bool":
            if text.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
                values[setting.name] = text.lower() in ("1", "true", "yes", "on")
            else:
                problems.append(f"{name} is {text!r}; it must be true or false.")
        else:
            values[setting.name] = text.upper() if setting.name == "log_level" else text
    # TOCSIN_TEST_… belongs to the tests; anything else unknown is most likely a slip of the pen.
    problems += [
        f"{name} is not a setting of Tocsin. Known: {', '.join(sorted(known))}."
        for name in sorted(env)
        if name.startswith(PREFIX) and name not in known and not name.startswith(PREFIX + "TEST_")
    ]
    if "base_url" not in values:
        host = str(values.get("host", HOST))
        shown = HOST if host in ("0.0.0.0", "::") else host  # noqa: S104  compared with, not bound to
        values["base_url"] = f"http://{shown}:{values.get('port', PORT)}"
    settings = Settings(**values)  # type: ignore[arg-type]  # read by field type above
    problems += _problems(settings)
    if problems:
        raise SettingsError(problems)
    return settings if settings.secret_key else _with_kept_secret(settings)


def to_environment(settings: Settings) -> dict[str, str]:
    """The same settings as variables, for a child process that shall have exactly these."""
    return {
        PREFIX + f.name.upper(): str(getattr(settings, f.name)) for f in fields(Settings) if getattr(settings, f.name)
    }


def _problems(settings: Settings) -> list[str]:
    found: list[str] = []
    scheme = urlsplit(settings.database_url).scheme.split("+")[0]
    if scheme not in ("sqlite", "postgresql", "postgres"):
        found.append(f"TOCSIN_DATABASE_URL starts with {scheme!r}; use sqlite:///path or postgresql://user@host/name.")
    for name, numbers in (("rates", per_channel.RATES), ("bundle_windows", per_channel.WINDOWS)):
        try:
            numbers.read(getattr(settings, name))
        except ValueError as wrong:
            found += [f"TOCSIN_{name.upper()}: {problem}." for problem in str(wrong).splitlines()]
    if settings.watchdog_url and not _is_web_address(settings.watchdog_url):
        # Not quoted: whoever knows the address can say that all is well.
        found.append("TOCSIN_WATCHDOG_URL must be an http(s) URL; a check of healthchecks.io has one, for instance.")
    for name in ("base_url", "slack_api_url", "twilio_api_url"):
        url = urlsplit(getattr(settings, name))
        if url.scheme not in ("http", "https") or not url.netloc:
            found.append(f"TOCSIN_{name.upper()} is {getattr(settings, name)!r}; it must be an http(s) URL.")
    if settings.secret_key and len(settings.secret_key) < SECRET_KEY_CHARACTERS_MIN:
        found.append(
            f"TOCSIN_SECRET_KEY has {len(settings.secret_key)} characters; use at least {SECRET_KEY_CHARACTERS_MIN}. "
            'Make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'
        )
    if settings.config and not Path(settings.config).is_file():
        found.append(f"TOCSIN_CONFIG names {settings.config!r}, and there is no such file.")
    for name in ("rules_dir", "runbooks_dir"):
        folder = getattr(settings, name)
        if folder and not Path(folder).is_dir():
            found.append(f"TOCSIN_{name.upper()} names {folder!r}, and there is no such folder.")
    twilio = {n: getattr(settings, n) for n in ("twilio_account_sid", "twilio_auth_token", "twilio_from")}
    if settings.twilio_from:
        try:
            twilio_senders.read(settings.twilio_from)
        except ValueError as wrong:
            found += [f"TOCSIN_TWILIO_FROM: {problem}." for problem in str(wrong).splitlines()]
    if any(twilio.values()) and not all(twilio.values()):
        missing = ", ".join(f"TOCSIN_{n.upper()}" for n, value in twilio.items() if not value)
        found.append(f"Twilio is only half configured; still missing: {missing}.")
    if settings.slack_bot_token and not (settings.slack_signing_secret or settings.slack_app_token):
        found.append(
            "TOCSIN_SLACK_BOT_TOKEN is set without TOCSIN_SLACK_SIGNING_SECRET; button presses could not be checked. "
            "With Socket Mode set TOCSIN_SLACK_APP_TOKEN instead."
        )
    if settings.slack_app_token and not settings.slack_app_token.startswith("xapp-"):
        found.append("TOCSIN_SLACK_APP_TOKEN must be an app-level token; it begins with xapp-.")
    if settings.slack_app_token and not settings.slack_bot_token:
        found.append("TOCSIN_SLACK_APP_TOKEN is set without TOCSIN_SLACK_BOT_TOKEN; nothing could be answered.")
    if settings.smtp_url and urlsplit(settings.smtp_url).scheme not in ("smtp", "smtps"):
        found.append("TOCSIN_SMTP_URL must look like smtp://user:password@host:587 or smtps://….")
    found += mail_in.problems(settings.mail_listen, settings.mail_domain, settings.mail_tls_cert, settings.mail_tls_key)
    if settings.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        found.append(f"TOCSIN_LOG_LEVEL is {settings.log_level!r}; use DEBUG, INFO, WARNING or ERROR.")
    return found


def _is_web_address(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname)


def _with_kept_secret(settings: Settings) -> Settings:
    """On one machine with SQLite a secret is made once and kept beside the database, readable by its owner only."""
    if not settings.is_sqlite:
        raise SettingsError(
            [
                "TOCSIN_SECRET_KEY is not set. With PostgreSQL every web process needs the same one. "
                'Make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'
            ]
        )
    path = Path(settings.database_url.split("///", 1)[-1] or ".").with_name("secret_key")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written whole under another name first: a process starting at the same moment must not read half a key.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as kept:
            kept.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return replace(settings, secret_key=path.read_text().strip())
