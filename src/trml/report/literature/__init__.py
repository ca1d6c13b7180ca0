"""Figures that others published, and what the page says of them."""
