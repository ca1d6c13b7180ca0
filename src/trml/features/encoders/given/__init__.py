"""No encoder: features that the corpus brings."""
