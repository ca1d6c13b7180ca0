"""A user-supplied dataset: a table of utterances next to their clips or images."""
