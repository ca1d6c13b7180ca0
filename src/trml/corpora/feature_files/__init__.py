"""Features that somebody else computed, from .npz, .csd or pickles (the corpus `arrays`)."""
