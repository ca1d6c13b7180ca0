"""A small BERT and a small vision transformer that the workflow pretrains apart."""
