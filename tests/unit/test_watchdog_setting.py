"""Where the watchdog is, is a web address, and is not repeated to whoever reads an error."""

from __future__ import annotations

import pytest

from config import settings
from config.errors import SettingsError

SECRET = "s" * settings.SECRET_KEY_CHARACTERS_MIN


def read(url: str) -> settings.Settings:
    return settings.read({"TOCSIN_WATCHDOG_URL": url, "TOCSIN_SECRET_KEY": SECRET})


def test_a_web_address_is_taken_and_not_shown() -> None:
    found = read("https://hc-ping.com/0f1e2d3c")
    assert found.watchdog_url == "https://hc-ping.com/0f1e2d3c"
    assert "0f1e2d3c" not in repr(found)


@pytest.mark.parametrize("url", ["hc-ping.com/0f1e2d3c", "ftp://hc-ping.com/0f1e2d3c", "https://", "https://[0f1e2d3c"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(url)
    assert "TOCSIN_WATCHDOG_URL must be an http(s) URL" in str(refused.value)
    assert "0f1e2d3c" not in str(refused.value)
