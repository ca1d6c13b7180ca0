"""Figures that others published, and how the page mentions them."""
