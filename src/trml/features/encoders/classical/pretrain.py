"""Fit the encoder without weights on the texts and pictures of a corpus's training split."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.decomposition import PCA, TruncatedSVD
from threadpoolctl import threadpool_limits

from trml.base.artifacts import write_json
from trml.base.errors import ContractError
from trml.base.progress import track
from trml.features.encoders.classical.config import ClassicalEncoder
from trml.features.encoders.classical.encoder import Classical, colour_columns, describe, new_terms
from trml.features.encoders.common.pairs import pair_table, pictures
from trml.seeding import stream_seed

_LEAST_SPREAD = 1e-4  # of a column, so that a constant one is not amplified


def pretrain(config: ClassicalEncoder, corpus: Path, data: Path, folder: Path, seed: int, device: torch.device) -> None:
    """Fit on the corpus's `train` pairs; `folder` gets vocabulary.json, model.safetensors and encoder.json.

    Raises:
        ContractError: If there is nothing to fit on.
    """
    table = pair_table(corpus, "train")
    texts = [text for text in table["text"] if text != ""]
    blank = Classical(None, {})
    read = track(pictures(corpus, data, table["image"]), table.height, "pictures read")
    described = [describe(blank.transform(picture)[None])[0] for _, picture in read]
    if not texts and len(described) < 2:
        raise ContractError(f"corpus {corpus.name}: no train utterance has a text or a readable picture to fit on")
    with threadpool_limits(1):  # the number of threads moves the last bits
        vocabulary, text = _fit_texts(config, texts, seed)
        vision = _fit_pictures(config, np.array(described), seed)
    write_json(folder / "vocabulary.json", vocabulary)
    arrays = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in (text | vision).items()}
    save_file(arrays, folder / "model.safetensors")
    record = {
        "name": config.name,
        "how": "TF-IDF with truncated SVD, and gradients and colours with PCA, fitted by the workflow "
        f"on {len(texts)} texts and {len(described)} pictures",
        "terms": len(vocabulary),
        "dimensions": {"text": len(text["text.components"]), "vision": len(vision["vision.components"])},
    }
    write_json(folder / "encoder.json", record)


def _fit_texts(
    config: ClassicalEncoder, texts: list[str], seed: int
) -> tuple[list[str], dict[str, NDArray[np.floating]]]:
    """Return the vocabulary in order, `text.idf` [V] and `text.components` [k, V]."""
    if not texts:
        return [], {"text.idf": np.zeros(0), "text.components": np.zeros((1, 0))}
    terms = new_terms(config)
    try:
        counted = terms.fit_transform(texts)
    except ValueError:  # no term is frequent enough
        counted = np.zeros((len(texts), 0))
    if counted.shape[1] < 2:
        raise ContractError(
            f"encoder {config.name}: fewer than 2 terms occur in {config.min_df} of {len(texts)} train texts. "
            "Set encoder.min_df=1"
        )
    size = min(config.text_dimensions, *counted.shape)
    svd = TruncatedSVD(size, n_iter=7, random_state=stream_seed(seed, "classical text") % 2**32).fit(counted)
    return list(terms.get_feature_names_out()), {"text.idf": terms.idf_, "text.components": svd.components_}


def _fit_pictures(
    config: ClassicalEncoder, described: NDArray[np.float32], seed: int
) -> dict[str, NDArray[np.floating]]:
    """Return `vision.mean` [D], `vision.scale` [D] and `vision.components` [k, D] of descriptions [N, D].

    Columns are standardised, then gradients and colours are weighted so that both have the same total variance.
    """
    if len(described) < 2:
        return {"vision.mean": np.zeros(1), "vision.scale": np.zeros(1), "vision.components": np.zeros((1, 1))}
    colours = colour_columns()
    weight = np.full(described.shape[1], 1 / np.sqrt(described.shape[1] - colours))
    weight[-colours:] = 1 / np.sqrt(colours)
    mean, scale = described.mean(axis=0), weight / np.maximum(described.std(axis=0), _LEAST_SPREAD)
    size = min(config.vision_dimensions, *described.shape)
    pca = PCA(size, svd_solver="randomized", random_state=stream_seed(seed, "classical vision") % 2**32)
    pca.fit((described - mean) * scale)
    return {"vision.mean": mean, "vision.scale": scale, "vision.components": pca.components_}
