"""A text model and an image model of transformers, whose spaces are not aligned."""
