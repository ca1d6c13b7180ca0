"""Scores of predictions, their intervals, and the claims that they decide."""
