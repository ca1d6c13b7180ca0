"""What the figures share: curves, intervals and bars."""
