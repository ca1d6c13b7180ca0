"""All randomness of the project: a stream for (experiment seed, purpose, key). Nothing seeds globally."""

import hashlib

import numpy as np


def stream_seed(seed: int, purpose: str, *key: object) -> int:
    """Return a 63-bit seed that names the stream of (seed, purpose, key)."""
    text = "\x1f".join(str(part) for part in (seed, purpose, *key))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *key: object) -> np.random.Generator:
    """Return the numpy generator of (seed, purpose, key)."""
    return np.random.default_rng(stream_seed(seed, purpose, *key))
