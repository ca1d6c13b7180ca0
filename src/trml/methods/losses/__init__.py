"""Loss terms that methods share, each with per-row weights."""
