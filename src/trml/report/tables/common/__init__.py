"""What the tables share: the table itself, and rows of scores."""
