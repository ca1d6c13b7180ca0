"""The encoders, one package each: pretrained by others, or by the workflow where no weights are at hand.

Each has `config.py`, its options and facts, `encoder.py`, and `pretrain.py` where the workflow trains it. The registry
finds them by scanning this folder and loads them by name.
"""
