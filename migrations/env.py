"""Run by alembic, on the connection that `migrations.run` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from migrations.all_models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite rolls DDL back as PostgreSQL does, once the driver leaves BEGIN to us; alembic assumes that it cannot.
    transactional_ddl=True,
    # SQLite alters a table by writing it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
