"""A text model and a picture model of transformers."""
