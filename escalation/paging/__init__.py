"""Durable timers and the engine that acts on them: pages are queued, handed over, retried and recorded here."""
