"""Probes of the virtual modalities that the proposed method makes up, and single utterances to look at."""
