"""Cells to predictions: many trainings as one program, and the store that keeps what they leave."""
