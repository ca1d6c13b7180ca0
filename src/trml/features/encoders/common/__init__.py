"""Helpers that several encoders share, and shims for importing torchvision, open_clip and transformers."""
