"""A small BERT and a vision autoencoder, pretrained by the workflow without pairs."""
