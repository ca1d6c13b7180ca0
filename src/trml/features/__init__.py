"""Encode the utterances of a corpus into one array and one mask per modality (`trml encode`, work/features)."""
