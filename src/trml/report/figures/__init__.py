"""Figures, one per file. Each file has `figures(data)`, which yields its figures of an experiment."""
