"""Seeded worlds: random alerts, answers, provider faults and crashes; after each step, what must always hold is checked.

`seeds` says what happens, `play` and `outside` make it happen, `course` reckons independently what the escalation
owes, `noise` who is held down by silences, groups and damping, and `invariants` compare. More worlds than the usual
few are played by TOCSIN_TEST_SIMULATIONS=5000, or by `python -m tests.simulation.walk`, on PostgreSQL if asked to.
"""
