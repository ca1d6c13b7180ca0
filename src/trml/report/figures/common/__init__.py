"""Shared code of the figures: curves, intervals and bars."""
