"""Who is on call, when, and where a schedule has gaps."""
