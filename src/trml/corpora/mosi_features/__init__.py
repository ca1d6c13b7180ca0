"""CMU-MOSI with utterance-level features from one .npz file."""
