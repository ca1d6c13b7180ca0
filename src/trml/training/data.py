"""The data of a block: features as tensors, the batches and the presence masks of a cell.

On the CPU features stay on disk, memory-mapped, and a batch is read when it is needed, so memory does not grow with
the corpus. On a GPU they lie on the device.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import layer_norm

from trml.features.contract import FeatureSet
from trml.methods.contract import Batch
from trml.missing.masks import frame_presence, frames_missing, lost_of_either, missing, pattern_victim, presence


@dataclass(frozen=True)
class Split:
    """One split. `rows` are its rows in the feature arrays; `real` [N, 2] is what is present before any protocol,
    `frames` [N, T] which frames."""

    name: str
    rows: Tensor
    label: Tensor
    real: NDArray[np.bool_]
    frames: NDArray[np.bool_]

    @property
    def n(self) -> int:
        return len(self.rows)

    def masked(self, corpus: str, victim: str | None, rate: float, seed: int) -> NDArray[np.bool_]:
        """Presence under a protocol: [N, 2], or, where frames are the victim, of text and each frame, [N, 1 + T]."""
        if victim == "frames":
            lost = frames_missing(corpus, self.name, seed, rate, *self.frames.shape)
            return frame_presence(self.real, self.frames, lost)
        if victim == "either":
            left = self.real & ~lost_of_either(corpus, self.name, seed, rate, self.n)
            return np.where(left.any(axis=1, keepdims=True), left, self.real)
        return presence(self.real, victim, missing(corpus, victim or "none", self.name, seed, rate, self.n))

    def under(self, condition: str, corpus: str, seed: int) -> NDArray[np.bool_]:
        """Presence under an evaluation condition: complete, vision_missing, text_missing or frames@rate."""
        kind, _, rate = condition.partition("@")
        if rate:
            return self.masked(corpus, kind, float(rate), seed)
        victim = pattern_victim(condition)
        return presence(self.real, victim, np.full(self.n, victim is not None))


@dataclass(frozen=True)
class Data:
    """The features of a corpus, and its splits. Batches come in `dtype`. Where the encoder gives no tokens, a text is
    its own only token, [N, 1, d_t]."""

    text: Tensor
    frames: Tensor
    frame_mask: Tensor
    tokens: Tensor
    token_mask: Tensor
    splits: dict[str, Split]
    dtype: torch.dtype
    fill: float

    @property
    def device(self) -> torch.device:
        """Where the features lie, and batches too."""
        return self.frame_mask.device

    def batch(
        self,
        split: Split,
        rows: Tensor,
        present: Tensor,
        draws: Tensor,
        owner: Tensor | None = None,
        *,
        tokens: bool = False,
    ) -> Batch:
        """The batch of rows [..., B] of a split, every value that presence [..., B, 2] or [..., B, 1 + T] masks
        overwritten by `fill`.

        Whatever a method does, it cannot read what the protocol took away: it is not in the batch. With `owner` [C],
        rows and draws are those of S seeds, [S, B], and cell c gets those of seed `owner[c]`. `tokens`: whether the
        batch brings them.
        """

        def of_cells(x: Tensor) -> Tensor:
            if owner is None:
                return x
            return x.expand(len(owner), *x.shape[1:]) if len(x) == 1 else x[owner]

        at = split.rows[rows]
        text, frames = (self._standardised(array[at]) for array in (self.text, self.frames))
        text_present = present[..., 0]
        whole = of_cells(self.frame_mask[at])
        frame_mask = whole & present[..., 1:]
        text = of_cells(text)
        if tokens:
            of_tokens = of_cells(self._standardised(self.tokens[at]))
            token_mask = of_cells(self.token_mask[at]) & text_present.unsqueeze(-1)
        else:
            of_tokens, token_mask = text.unsqueeze(-2)[..., :0, :], text_present.unsqueeze(-1)[..., :0]
        return Batch(
            text=torch.where(text_present.unsqueeze(-1), text, self.fill),
            frames=torch.where(frame_mask.unsqueeze(-1), of_cells(frames), self.fill),
            frame_mask=frame_mask,
            text_present=text_present,
            vision_present=frame_mask.any(-1),
            vision_share=(frame_mask.sum(-1) / whole.sum(-1).clamp(min=1)).to(self.dtype),
            label=of_cells(split.label[rows]),
            draws=of_cells(draws),
            tokens=torch.where(token_mask.unsqueeze(-1), of_tokens, self.fill),
            token_mask=token_mask,
        )

    def _standardised(self, x: Tensor) -> Tensor:
        return layer_norm(x.to(self.dtype), x.shape[-1:])


def load_data(features: FeatureSet, device: torch.device, dtype: torch.dtype, fill: float = 0.0) -> Data:
    """The data of a feature set on a device. `fill` stands in place of every masked value (NaN in tests)."""
    kind = dtype if features.info.task == "regression" else torch.int64
    labels = torch.from_numpy(features.index["label"].to_numpy().copy()).to(device, kind)

    def split(name: str) -> Split:
        rows = features.rows(name)
        here = torch.from_numpy(rows).to(device)
        return Split(name, here, labels[here], features.present[rows], features.frame_mask[rows])

    with warnings.catch_warnings():  # torch warns that a memory-mapped array must not be written to; none is
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        text, frames, frame_mask = (
            torch.from_numpy(array).to(device) for array in (features.text, features.frames, features.frame_mask)
        )
        if features.tokens is None or features.token_mask is None:
            tokens, token_mask = text.unsqueeze(1), torch.from_numpy(features.present[:, :1]).to(device)
        else:
            tokens, token_mask = (torch.from_numpy(x).to(device) for x in (features.tokens, features.token_mask))
    splits = {name: split(name) for name in ("train", "valid", "test")}
    return Data(text, frames, frame_mask, tokens, token_mask, splits, dtype, fill)


def as_prediction(outputs: Tensor) -> Any:
    """Outputs [..., N, 1] -> scores [..., N]; logits [..., N, K] -> class numbers [..., N]; f32 on the CPU."""
    value = outputs.squeeze(-1) if outputs.shape[-1] == 1 else outputs.argmax(dim=-1)
    return value.float().cpu().numpy()
