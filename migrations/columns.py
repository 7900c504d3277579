"""Columns as the steps in `versions/` write them, alike on both databases.

A step that has been released must go on meaning the same: add here, change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite makes only INTEGER PRIMARY KEY its row id
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def identity() -> sa.Column[Any]:
    return sa.Column("id", BIG, primary_key=True)


def required(kind: TypeEngine[Any], *names: str) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, kind, nullable=False) for name in names)


def optional(kind: TypeEngine[Any], *names: str) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, kind, nullable=True) for name in names)


def reference(name: str, target: str, *, nullable: bool = False, ondelete: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, BIG, sa.ForeignKey(target, ondelete=ondelete), nullable=nullable)


def partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, postgresql_where=condition, sqlite_where=condition)
