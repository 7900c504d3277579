"""What people type into the pages' forms, and how a refusal is told beside them."""

from __future__ import annotations

from flask import request

from config.errors import TocsinError


def typed(field: str) -> str:
    """A field of the form, or of the address of a page that is only looked at; empty if it is not there.

    It can be stored as it is: browsers send CRLF, and PostgreSQL takes no NUL.
    """
    fields = request.args if request.method == "GET" else request.form
    return fields.get(field, "").replace("\0", "").replace("\r\n", "\n").strip()


def in_words(refused: TocsinError) -> str:
    said = "; ".join(f"{field} {problem}" for field, problem in refused.fields.items() if problem not in refused.detail)
    return f"{refused.detail} ({said})" if said else refused.detail
