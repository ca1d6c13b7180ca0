"""Derive every path of work/, and what each stage is handed, from the configuration. Without torch."""
