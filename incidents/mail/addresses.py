"""Who a letter is for, as its address says. Pure.

`KEY@domain` and `KEY+tag@domain` are an integration's, `reply+TOKEN@domain` is an answer to a letter of Tocsin's. Case
tells nothing apart: some mail systems write addresses in lower case.
"""

from __future__ import annotations

from dataclasses import dataclass

from escalation.channels.reply_addresses import REPLY
from incidents.sources import reading


@dataclass(frozen=True, slots=True)
class Recipient:
    name: str  # an integration's key, or `reply`
    tag: str = ""  # what stands behind the first plus

    @property
    def is_reply(self) -> bool:
        return self.name == REPLY


def read(address: str, domain: str) -> Recipient | None:
    """None for another domain's. Without a `domain` any will do."""
    mailbox, _, written = reading.clean(address.casefold()).rpartition("@")  # it may hold any bytes
    if domain and written.rstrip(".") != domain.casefold():
        return None
    name, _, tag = mailbox.partition("+")
    return Recipient(name, tag)


def shown(key: str, domain: str) -> str:
    """As a person writes it down; empty where nothing is known of a domain."""
    return f"{key}@{domain}" if domain else ""
