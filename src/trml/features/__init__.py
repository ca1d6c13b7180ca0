"""Encode utterances into one array and one mask per modality (`trml encode`, work/features).

Encoding is scattered over shards and gathered into a feature folder; `contract` describes that folder. Corpora that
bring features skip the encoder.
"""
