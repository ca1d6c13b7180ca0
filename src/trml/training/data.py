"""The data of a block: features as tensors, and the batches and presence masks of a cell."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trml.features import FeatureSet
from trml.methods.base import Batch, Shape
from trml.missingness import missing, presence


@dataclass(frozen=True)
class SplitData:
    """One split, resident on the device. `real` is what is present before any protocol, bool [N, 2] on the CPU."""

    name: str
    ids: list[str]
    text: Tensor
    frames: Tensor
    frame_mask: Tensor
    label: Tensor
    real: NDArray[np.bool_]

    @property
    def n(self) -> int:
        return len(self.ids)

    def masked(self, corpus: str, victim: str | None, rate: float, seed: int) -> NDArray[np.bool_]:
        """Presence [N, 2] under a protocol."""
        lost = missing(corpus, victim or "none", self.name, seed, rate, self.n)
        return presence(self.real, victim, lost)


def load_split(features: FeatureSet, split: str, device: torch.device, dtype: torch.dtype) -> SplitData:
    """A split of a feature set as tensors of one type on one device."""
    rows = features.rows(split)
    index = features.index[rows]
    regression = features.info.task == "regression"
    return SplitData(
        split,
        index["utterance_id"].to_list(),
        torch.from_numpy(features.text[rows]).to(device, dtype),
        torch.from_numpy(features.frames[rows]).to(device, dtype),
        torch.from_numpy(features.frame_mask[rows]).to(device),
        torch.from_numpy(index["label"].to_numpy().copy()).to(device, dtype if regression else torch.int64),
        features.present[rows],
    )


def data_shape(features: FeatureSet, victim: str | None) -> Shape:
    """The sizes a method is built for."""
    outputs = 1 if features.info.task == "regression" else len(features.info.classes)
    return Shape(features.text.shape[1], features.frames.shape[2], outputs, victim)


def gather(split: SplitData, rows: Tensor, present: Tensor, draws: Tensor, fill: float) -> Batch:
    """The batch of rows [..., B] with presence [..., B, 2], every masked value overwritten by `fill`.

    Whatever a method does, it cannot read what the protocol took away: it is not in the batch.
    """
    text_present, vision_present = present.unbind(-1)
    frame_mask = split.frame_mask[rows] & vision_present.unsqueeze(-1)
    return Batch(
        text=torch.where(text_present.unsqueeze(-1), split.text[rows], fill),
        frames=torch.where(frame_mask.unsqueeze(-1), split.frames[rows], fill),
        frame_mask=frame_mask,
        text_present=text_present,
        vision_present=vision_present,
        label=split.label[rows],
        draws=draws,
    )


def as_prediction(outputs: Tensor) -> Any:
    """Outputs [..., N, 1] -> scores [..., N]; logits [..., N, K] -> class numbers [..., N]; f32 on the CPU."""
    value = outputs.squeeze(-1) if outputs.shape[-1] == 1 else outputs.argmax(dim=-1)
    return value.float().cpu().numpy()
