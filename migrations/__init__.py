"""How a database comes to hold Tocsin's tables, step by step, forward and back.

Each file in `versions/` is one step and works on SQLite and PostgreSQL. `run` is the way in; there is no
alembic.ini, so an installed Tocsin migrates as a checkout does.
"""
