"""Encode without weights: TF-IDF and truncated SVD for texts; gradients, colours and PCA for frames.

Texts: latent semantic analysis (Deerwester et al. 1990) of words, single punctuation marks and their n-grams, with
1 + log(count) as term frequency. Frames: histograms of oriented gradients (Dalal and Triggs 2005), and mean and
standard deviation of CIELAB in a grid of 4 x 4 fields. The trainer standardises every vector, so neither is whitened.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file
from skimage.color import rgb2lab
from skimage.feature import hog
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor

from trml.features.encoders.classical.config import ClassicalEncoder
from trml.features.encoders.contract import Encoded, vectors

_TERM = r"(?u)\w+|[^\w\s]"  # sentiment is in punctuation and emoji too
_SIDE, _FIELDS = 64, 4  # pixels of a picture, fields of its grid, a side


@dataclass
class Classical:
    """A fitted encoder.

    Attributes:
        terms: With vocabulary and inverse document frequencies; None if there was no training text.
        arrays: `text.components` [k, V], `vision.mean` [D], `vision.scale` [D] and `vision.components` [k', D]. A
            modality without training data has all components zero.
    """

    terms: TfidfVectorizer | None
    arrays: Mapping[str, NDArray[np.float32]]

    modalities = ("text", "vision")

    def transform(self, picture: Image.Image) -> Tensor:
        """Turn an RGB picture into uint8 [3, 64, 64]; its sides are scaled apart, so nothing is cropped."""
        small = picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(small)).permute(2, 0, 1)

    def count_cut(self, texts: list[str]) -> list[int]:
        """Return zeros: texts of any length are read whole."""
        return [0] * len(texts)

    def encode(self, modality: str, items: Sequence[Any]) -> Encoded:
        """Encode sentences, or frames that `transform` made."""
        return vectors(self._texts(list(items)) if modality == "text" else self._frames(torch.stack(list(items))))

    def _texts(self, texts: list[str]) -> Tensor:
        components = self.arrays["text.components"]
        if self.terms is None:
            return torch.zeros(len(texts), len(components))
        return torch.from_numpy((self.terms.transform(texts) @ components.T.astype(np.float64)).astype(np.float32))

    def _frames(self, pixels: Tensor) -> Tensor:
        components = torch.from_numpy(self.arrays["vision.components"])
        if not components.any():
            return torch.zeros(len(pixels), len(components))
        described = torch.from_numpy((describe(pixels) - self.arrays["vision.mean"]) * self.arrays["vision.scale"])
        return described @ components.T


def new_terms(config: ClassicalEncoder, vocabulary: Mapping[str, int] | None = None) -> TfidfVectorizer:
    """Return the TF-IDF of a configuration, to be fitted unless it is given a vocabulary."""
    return TfidfVectorizer(
        token_pattern=_TERM,
        ngram_range=(1, config.ngrams),
        min_df=config.min_df if vocabulary is None else 1,
        sublinear_tf=True,
        vocabulary=vocabulary,
    )


def describe(pixels: Tensor) -> NDArray[np.float32]:
    """Return the description [B, D] of pictures, uint8 [B, 3, 64, 64]: gradients, then colours."""
    rows = []
    for picture in pixels.permute(0, 2, 3, 1).numpy() / 255.0:
        gradients = hog(picture, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2), channel_axis=-1)
        fields = rgb2lab(picture).reshape(_FIELDS, _SIDE // _FIELDS, _FIELDS, _SIDE // _FIELDS, 3)
        rows.append(np.concatenate([gradients, fields.mean(axis=(1, 3)).ravel(), fields.std(axis=(1, 3)).ravel()]))
    return np.array(rows, dtype=np.float32)


def colour_columns() -> int:
    """Return how many columns of a description, the last ones, are of colours."""
    return 2 * _FIELDS * _FIELDS * 3


def load(config: ClassicalEncoder, folder: Path | None, device: torch.device) -> Classical:
    """Load the encoder that `pretrain` saved in `folder`. It computes on the CPU, whatever the device."""
    assert folder is not None
    arrays = load_file(folder / "model.safetensors")
    vocabulary = json.loads((folder / "vocabulary.json").read_text())
    if not vocabulary:
        return Classical(None, arrays)
    terms = new_terms(config, {term: i for i, term in enumerate(vocabulary)})
    terms.idf_ = arrays["text.idf"].astype(np.float64)
    return Classical(terms, arrays)
