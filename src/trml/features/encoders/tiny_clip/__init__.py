"""A small CLIP of open_clip's class, pretrained by the workflow on the corpus's pairs."""
