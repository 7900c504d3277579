"""Benchmarks: each is a command that prints its figure beside its limit, and ends with 1 when one is over it.

They run against the real thing (a started service, a real PostgreSQL with fsync on), and are no tests: no test
asserts a time. Run them on a quiet machine; a second busy process moves every figure here.
"""
