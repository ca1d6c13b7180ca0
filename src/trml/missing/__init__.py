"""Define what may be missing: modalities, patterns, and the presence masks that follow from them."""
