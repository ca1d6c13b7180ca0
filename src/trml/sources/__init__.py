"""Fetch raw files and read them without trusting their content. Knows no corpus."""
