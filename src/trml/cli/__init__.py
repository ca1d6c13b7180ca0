"""The `trml` command: verbs by stage, each a thin shell around one stage's function."""
