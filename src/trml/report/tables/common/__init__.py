"""Shared code of the tables: the table itself, and rows of scores."""
