"""Take over the features that a corpus brings."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl

from trml.corpora.contract import read_corpus
from trml.features.contract import MASK, MEDIA_SCHEMA, TOKENS, FeatureInfo, View
from trml.features.encoders.given.config import GivenEncoder
from trml.features.writer import FeatureWriter
from trml.missing.modalities import in_order


def take_given(corpus: Path, folder: Path, digest: str) -> None:
    """Write the features that a corpus brings into `folder`; utterances without any modality are left out.

    Args:
        corpus: The corpus folder, with given/<modality>.npy f32 [N, T, d] and given/<modality>_mask.npy bool [N, T].
        folder: An existing folder.
        digest: Name of the feature folder.
    """
    info, table = read_corpus(corpus)
    given = corpus / "given"

    def view(name: str) -> View:
        files = (name, f"{name}{MASK}")
        return View(*(np.load(given / f"{file}.npy", mmap_mode="r", allow_pickle=False) for file in files))

    modalities = list(in_order(info.modalities))
    second = [modality for modality in modalities if (given / f"{modality}{TOKENS}.npy").is_file()]
    views = {name: view(name) for name in [*modalities, *(f"{modality}{TOKENS}" for modality in second)]}
    weights, aligned, _ = GivenEncoder("given", "given").describe(None, info)
    about = FeatureInfo("given", weights, aligned, None, info.task, info.classes, digest, modalities, second)
    kept = np.logical_or.reduce([views[modality].mask.any(axis=1) for modality in modalities])
    index = table.select("utterance_id", "split", "label", "draw").filter(pl.Series(kept))
    shapes = {name: (view.values.shape[1], view.values.shape[2]) for name, view in views.items()}
    writer = FeatureWriter(folder, about, index, shapes)
    writer.append(views, kept)
    writer.finish(_media(table["utterance_id"], views.get("vision")))


def _media(ids: pl.Series, vision: View | None) -> pl.DataFrame:
    """Return MEDIA_SCHEMA, with the number of frames and the checksum of each vision sequence."""
    frames = np.zeros(len(ids), dtype=np.int64)
    hashes: list[str | None] = [None] * len(ids)
    if vision is not None:
        frames = vision.mask.sum(axis=1)
        hashes = [
            sha256(np.asarray(clip).tobytes()).hexdigest() if seen else None
            for clip, seen in zip(vision.values, frames > 0, strict=True)
        ]
    media = pl.DataFrame({"utterance_id": ids, "frames": frames, "hash": hashes}, schema_overrides={"hash": pl.String})
    return media.with_columns(reason=pl.lit(None), tokens_cut=0).cast(MEDIA_SCHEMA)  # type: ignore[arg-type]
