"""A CLIP of open_clip, with weights from a checkpoint or the hub."""
