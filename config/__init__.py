"""How the process runs: settings, database, clock, errors, HTTP, sign-in, logs. Knows nothing of incidents."""
