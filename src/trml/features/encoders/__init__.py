"""Encoders, one package each: config.py, encoder.py and, if the workflow trains it, pretrain.py."""
