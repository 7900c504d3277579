"""Seeded worlds: random alerts, answers, provider faults and crashes; after each step, what must always hold is checked.

`steps` is what can happen, `play` makes it happen, `course` reckons independently what the escalation owes, and
`invariants` compares. TOCSIN_TEST_SIMULATIONS=5000 plays that many worlds, each time others.
"""
