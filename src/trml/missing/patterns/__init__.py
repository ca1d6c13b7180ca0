"""The missing patterns, one a file. Each file has `patterns(modalities)`, those that it offers for them."""
