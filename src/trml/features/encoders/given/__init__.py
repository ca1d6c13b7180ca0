"""No encoder: the features are those that the corpus brings."""
