"""Seeded worlds: random alerts, answers, provider faults and crashes; after each step, what must always hold is checked.

`seeds` says what happens, `play` and `outside` make it happen, `course` reckons independently what the escalation
owes, and `invariants` compares. TOCSIN_TEST_SIMULATIONS=5000 plays that many worlds instead of the usual few.
"""
