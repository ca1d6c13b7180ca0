"""What may be absent: modalities, missing patterns, and the presence masks that follow from them."""
