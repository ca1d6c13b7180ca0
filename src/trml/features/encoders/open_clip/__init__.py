"""Models of open_clip by name."""
