"""The tamper-evident timeline: what happened, in an order nobody can quietly change."""
