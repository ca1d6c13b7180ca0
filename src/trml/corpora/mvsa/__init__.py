"""MVSA-Single: posts with a photo and a text, from the raw layout or from a sample in one parquet file."""
