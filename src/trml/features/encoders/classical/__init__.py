"""The encoder without weights: TF-IDF for texts, gradients and colours for frames."""
