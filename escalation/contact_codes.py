"""Codes that prove whose a contact method is: made when they are handed over, kept only as a hash, good for a while.

A code is in no row, no log and no answer of the API: it is made while the message that carries it is put together,
and whoever sends it back has read that message.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import utc_text
from escalation.channels import wording
from escalation.models import ContactMethod
from escalation.paging.models import Verification

DIGITS = 6
GOOD_FOR = timedelta(minutes=10)
TRIES_MAX = 5  # at one code; it is worth nothing then
SUBJECT = "Your code"
# There are a million codes, so the hash must be slow: to try them all takes hours, and a code lives for minutes.
_SCRYPT_COST, _SCRYPT_BLOCK = 2**12, 8


class Verdict(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"  # tried too often
    EXPIRED = "expired"
    NONE = "none"  # no code is out


def fresh(session: Session, method: ContactMethod, now: datetime) -> str:
    """A new code for this contact method, in the place of any before it."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    kept = session.get(Verification, method.id, with_for_update=True) or Verification(contact_method_id=method.id)
    kept.code_hash = _hashed(code, method.id, now)
    kept.sent_at, kept.expires_at, kept.tries = now, now + GOOD_FOR, 0
    session.add(kept)
    session.flush()
    return code


def judge(session: Session, method_id: int, typed: str, now: datetime) -> Verdict:
    """What is to be said of a code that somebody typed. The caller commits whatever the verdict is: tries count."""
    kept = session.scalar(
        select(Verification)
        .where(Verification.contact_method_id == method_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if kept is None:
        return Verdict.NONE
    if now >= kept.expires_at:
        return Verdict.EXPIRED
    if kept.tries >= TRIES_MAX:
        return Verdict.SPENT
    kept.tries += 1
    digits = "".join(typed.split())
    if hmac.compare_digest(_hashed(digits, method_id, kept.sent_at), kept.code_hash):
        session.delete(kept)
        return Verdict.RIGHT
    return Verdict.SPENT if kept.tries >= TRIES_MAX else Verdict.WRONG


def words(channel: str, code: str, asked_by: str, asked_at: datetime) -> str:
    """The message that carries a code. A call reads it digit by digit, and says everything twice."""
    told = ", ".join(code) if channel == "voice" else code
    minutes = int(GOOD_FOR.total_seconds() // 60)
    who = wording.one_line(asked_by, 60)
    return (
        f"Your code is {told}. It is good for {minutes} minutes. {who} asked for it at {wording.moment(asked_at)}, "
        "to be paged here. If that was not you, ignore this: nobody will be paged here."
    )


def _hashed(code: str, method_id: int, sent_at: datetime) -> str:
    salt = f"contact method {method_id}, {utc_text(sent_at)}".encode()
    return hashlib.scrypt(code.encode(), salt=salt, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=1, dklen=32).hex()
