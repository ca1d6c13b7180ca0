"""Features and settings for tests: small, with a label that every modality tells."""

from dataclasses import replace

import numpy as np
import polars as pl

from trml.features.contract import FeatureInfo, FeatureSet, View
from trml.missing.modalities import in_order
from trml.training.contract import Settings

SETTINGS = Settings(
    experiment_seed=1,
    corpus="synthetic",
    epochs=3,
    patience=3,
    batch_size=16,
    learning_rate=0.005,
    weight_decay=0.01,
    clip_norm=1.0,
    chunk=3,
)
PAIR, TRIPLE = ("text", "vision"), ("text", "vision", "audio")


def in_two_draws(features: FeatureSet) -> FeatureSet:
    """Return the features with each half of the training split as a draw of its own."""
    train = features.rows("train")
    draw = np.zeros(features.index.height, dtype=np.int32)
    draw[train[len(train) // 2 :]] = 1
    return replace(features, index=features.index.with_columns(draw=draw))


def synthetic_features(
    seed: int = 0,
    n: int = 90,
    d: int = 8,
    frames: int = 4,
    classes: int = 0,
    modalities: tuple[str, ...] = PAIR,
    tokens: int = 0,
) -> FeatureSet:
    """Return features whose label is in every modality: each is a noisy view of one hidden number.

    Args:
        seed: Of the numbers.
        n: Utterances: two thirds train, a sixth each valid and test.
        d: Numbers of a step, for every modality.
        frames: T of vision; audio has three steps, text is one vector.
        classes: 0 for a score, or 3.
        modalities: Which there are.
        tokens: L of the text's second view, 0 for none.
    """
    rng = np.random.default_rng(seed)
    steps = {"text": 1, "vision": frames, "audio": 3}
    hidden = rng.normal(size=n)
    signals = {}
    for i, modality in enumerate(in_order(modalities)):
        values = rng.normal(size=(n, steps[modality], d)).astype(np.float32)
        values[:, :, i] += 2 * hidden[:, None]
        mask = np.ones(values.shape[:2], dtype=bool)
        if steps[modality] > 1:
            mask[::7, -1] = False
        signals[modality] = View(values, mask)
    label = np.digitize(hidden, [-0.5, 0.5]).astype(np.int32) if classes else np.clip(hidden, -3, 3).astype(np.float32)
    split = np.array(["train"] * (n // 3 * 2) + ["valid"] * (n // 6) + ["test"] * (n - n // 3 * 2 - n // 6))
    index = pl.DataFrame({"utterance_id": [f"u{i}" for i in range(n)], "split": split, "label": label, "draw": 0})
    task = "classification" if classes else "regression"
    names = ["low", "mid", "high"][:classes]
    info = FeatureInfo("synthetic", "made by a test", True, None, task, names, "synthetic", list(signals))
    if not tokens:
        return FeatureSet(info, index, signals)
    values = (signals["text"].values + rng.normal(size=(n, tokens, d))).astype(np.float32)
    lengths = rng.integers(1, tokens + 1, size=n)
    views = {"text": View(values, np.arange(tokens) < lengths[:, None])}
    return FeatureSet(replace(info, views=["text"]), index, signals, views)


def ragged(frames: int = 30, tokens: int = 40) -> FeatureSet:
    """Return features whose clips have from 1 to 30 frames, and texts from 1 to 40 tokens: batches of three lengths."""
    features = synthetic_features(frames=frames, tokens=tokens)
    values = features.signals["vision"].values
    lengths = np.random.default_rng(3).integers(1, frames + 1, size=len(values))
    vision = View(values, np.arange(frames) < lengths[:, None])
    return replace(features, signals={**features.signals, "vision": vision})
