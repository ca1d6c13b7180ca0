"""What the claims share: comparisons, and how they are judged."""
