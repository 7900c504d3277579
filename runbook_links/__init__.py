"""The runbook library and what ties a runbook to an incident."""
