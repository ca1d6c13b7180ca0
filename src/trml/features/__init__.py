"""Features: turn the utterances of a corpus into one array and one mask a modality."""
