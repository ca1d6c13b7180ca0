"""A small CLIP that the workflow pretrains."""
