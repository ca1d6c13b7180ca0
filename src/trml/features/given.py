"""TODO docstring."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl

from trml.corpora.contract import read_corpus
from trml.features.contract import MEDIA_SCHEMA, FeatureSet
from trml.features.encoders.given.config import GivenEncoder
from trml.features.encoders.load import describe
from trml.features.writer import write_features


def take_given(corpus: Path, folder: Path, digest: str) -> None:
    """Write the features that a corpus brings into `folder`."""
    info, table = read_corpus(corpus)
    brought = corpus / "given"
    text, frames, frame_mask = (
        np.load(brought / f"{name}.npy", allow_pickle=False) for name in ("text", "frames", "frame_mask")
    )
    present = np.stack([(table["text"] != "").to_numpy(), frame_mask.any(axis=1)], axis=1)
    if (brought / "present.npy").is_file():
        present = np.load(brought / "present.npy", allow_pickle=False)
    hashes = [
        sha256(clip.tobytes()).hexdigest() if seen.any() else None
        for clip, seen in zip(frames, frame_mask, strict=True)
    ]
    media = pl.DataFrame({"utterance_id": table["utterance_id"], "frames": frame_mask.sum(axis=1), "hash": hashes})
    media = media.with_columns(reason=pl.lit(None), tokens_cut=0).cast(MEDIA_SCHEMA)  # type: ignore[arg-type]
    kept = np.asarray(present).any(axis=1)
    about = describe(GivenEncoder("given", "given"), None, info, digest)
    index = table.select("utterance_id", "split", "label").filter(pl.Series(kept))
    write_features(folder, FeatureSet(about, index, text[kept], frames[kept], frame_mask[kept], present[kept]), media)
