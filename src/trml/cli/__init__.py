"""The `trml` command: one module of verbs per stage, each verb a thin shell around one function."""
