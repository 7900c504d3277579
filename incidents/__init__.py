"""From the first alert to the published review."""
