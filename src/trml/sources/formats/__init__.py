"""Readers of untrusted files: archives, pickles, .npz, .csd, images and video."""
