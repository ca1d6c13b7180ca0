"""What the metrics share: the type, and sums over utterances."""
