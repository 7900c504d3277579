"""The digests that tie the timeline together. Pure: the same values give the same bytes, anywhere and for good.

An entry's bytes are the RFC 8785 canonical JSON of its header; its payload takes part by a salted digest, so that
a payload can be erased later without breaking the chain. Digests are lower-case hexadecimal SHA-256, and enter
other digests as that text:

    payload_sha256 = SHA-256(salt ‖ payload)
    entry_hash     = SHA-256("incident-entry/v1\\n" ‖ canonical bytes of the header)
    global_hash    = SHA-256("tocsin-global/v1\\n" ‖ global_prev ‖ entry_hash)

`prev` in the header is the entry_hash before it in the same incident; `global_prev` is the global_hash of the entry
before it in the whole record. Both begin at GENESIS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from config.clock import utc_text

VERSION = 1
GENESIS = "0" * 64
SALT_BYTES = 16
ENTRY_PREFIX = b"incident-entry/v1\n"
GLOBAL_PREFIX = b"tocsin-global/v1\n"


@dataclass(frozen=True, slots=True)
class Header:
    """What an entry's hash covers."""

    incident: int
    seq: int  # 1, 2, 3, … within the incident
    global_seq: int  # 1, 2, 3, … within the whole record
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    actor_kind: str
    kind: str
    payload_sha256: str
    supersedes: int | None  # global_seq of the entry that this one corrects
    prev: str


def canonical(header: Header) -> bytes:
    """Raises ValueError where a value has no canonical form (an integer beyond 2^53, a lone surrogate)."""
    return rfc8785.dumps(
        {
            "v": VERSION,
            "incident": header.incident,
            "seq": header.seq,
            "global_seq": header.global_seq,
            "occurred_at": utc_text(header.occurred_at),
            "recorded_at": utc_text(header.recorded_at),
            "actor": header.actor,
            "actor_kind": header.actor_kind,
            "kind": header.kind,
            "payload_sha256": header.payload_sha256,
            "supersedes": header.supersedes,
            "prev": header.prev,
        }
    )


def payload(text: str, facts: Mapping[str, Any]) -> str:
    """The payload's canonical JSON: the sentence for people and the facts behind it."""
    return rfc8785.dumps({"text": text, "facts": dict(facts)}).decode()


def payload_sha256(salt: bytes, payload: str) -> str:
    return hashlib.sha256(salt + payload.encode()).hexdigest()


def entry_hash(canonical: bytes) -> str:
    return hashlib.sha256(ENTRY_PREFIX + canonical).hexdigest()


def global_hash(global_prev: str, entry_hash: str) -> str:
    return hashlib.sha256(GLOBAL_PREFIX + global_prev.encode() + entry_hash.encode()).hexdigest()
