"""The data of a block: features as tensors, the splits, and the signals of a batch under a presence mask.

On the CPU features stay on disk, memory-mapped, and a batch is read when it is needed, so memory does not grow with
the corpus. On a GPU they lie on the device.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import layer_norm

from trml.features.contract import FeatureSet, View
from trml.methods.contract import NO_CLASS, NO_SCORE, Shape, Signal
from trml.missing.conditions import presence_under
from trml.missing.labels import given_labels, of_draw
from trml.missing.pattern import Absence, Missing, Presence, only
from trml.training.absence import absence_log_odds, inverse_probability

Views = Literal["pooled", "sequence"]
Present = Mapping[str, Tensor]  # modality -> bool [..., B, 1], or [..., B, T] where single steps are lost
BUCKET = 16  # steps


@dataclass(frozen=True)
class Split:
    """One split.

    Attributes:
        name: `train`, `valid` or `test`.
        rows: Its rows [N] in the feature arrays.
        label: Its labels [N].
        draw: Which of several training sets each row is of, [N]; all 0 in other splits.
        real: Modality -> bool [N, T], the steps that the corpus has.
    """

    name: str
    rows: Tensor
    label: Tensor
    draw: NDArray[np.int64]
    real: Presence

    @property
    def n(self) -> int:
        """How many utterances it has."""
        return len(self.rows)

    def of_draw(self, seed: int) -> NDArray[np.bool_]:
        """Return which rows are of the draw that trainings of a seed use, bool [N]."""
        return of_draw(self.draw, seed)

    def given_labels(self, corpus: str, count: int | None, noise: float, seed: int) -> Tensor:
        """Return the labels [N] that a training is given, as `missing.labels` says.

        The others are NO_SCORE or NO_CLASS.
        """
        hidden = NO_SCORE if self.label.is_floating_point() else NO_CLASS
        labels = torch.full_like(self.label, hidden)
        kept, source = (
            torch.from_numpy(x).to(self.rows.device) for x in given_labels(self.draw, corpus, count, noise, seed)
        )
        labels[kept] = self.label[source]
        return labels

    def masked(self, corpus: str, missing: Missing | None, rate: float, seed: int, absence: Absence) -> Presence:
        """Return what a missing pattern leaves at a rate: modality -> bool [N, 1] or [N, T]."""
        if missing is None:
            return only(self.real, frozenset(self.real))
        log_odds = absence_log_odds(self._label) if absence == "by_label" else None
        return missing.presence(self.real, corpus, self.name, seed, rate, log_odds)

    def weights(self, present: Presence, seed: int) -> Tensor:
        """Return the weight of each row in the losses, [N]: what undoes absence that depends on the label.

        Args:
            present: What a pattern left, as `masked` returns it.
            seed: The training's; weights are estimated on its draw.
        """
        affected = np.logical_or.reduce(
            [self.real[name].any(axis=1) & ~mask.any(axis=1) for name, mask in present.items()]
        )
        weights, mine = np.ones(self.n), self.of_draw(seed)
        weights[mine] = inverse_probability(self._label[mine], affected[mine])
        return torch.from_numpy(weights).to(self.rows.device)

    @property
    def _label(self) -> NDArray[np.float64]:
        return self.label.cpu().numpy().astype(float)

    def under(self, present: str, corpus: str, seed: int) -> Presence:
        """Return what is left under a word of `missing.conditions.predicted_under`, as `masked` does."""
        return presence_under(present, self.real, corpus, self.name, seed)


class Lengths(NamedTuple):
    """How long the utterances of a split are: to the last step of the longest sequence.

    Attributes:
        bucket: [N], which multiple of `BUCKET` steps holds the utterance, from 0.
        longest: Modality -> [buckets], the steps of its longest sequence in this bucket or a shorter one.
    """

    bucket: NDArray[np.int64]
    longest: Mapping[str, NDArray[np.int64]]

    def of(self, bucket: int) -> dict[str, int]:
        """Return how many steps of each modality hold all utterances up to a bucket."""
        return {modality: int(steps[bucket]) for modality, steps in self.longest.items()}


class Source(NamedTuple):
    """One view of a modality, all rows of the features: values [N, T, d] and mask bool [N, T]."""

    values: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Data:
    """The features of a corpus, and its splits.

    Attributes:
        views: `pooled` and `sequence` -> modality -> its array. They differ where a modality has tokens.
        splits: By name.
        outputs: 1 for a score, or the number of classes.
        dtype: Of the signals of a batch.
        fill: What stands in place of every masked value.
    """

    views: Mapping[Views, Mapping[str, Source]]
    splits: Mapping[str, Split]
    outputs: int
    dtype: torch.dtype
    fill: float
    _lengths: dict[tuple[Views, str], Lengths] = field(default_factory=dict, init=False, repr=False)

    @property
    def device(self) -> torch.device:
        """Where the features lie, and batches too."""
        return self.splits["train"].rows.device

    @property
    def modalities(self) -> tuple[str, ...]:
        """The names of the modalities, in order."""
        return tuple(self.views["pooled"])

    def shape(self, views: Views, missing: Missing | None = None) -> Shape:
        """Return the sizes that a method is built for."""
        sizes = {modality: source.values.shape[1:] for modality, source in self.views[views].items()}
        return Shape({modality: (steps, d) for modality, (steps, d) in sizes.items()}, self.outputs, missing)

    def lengths(self, views: Views, split: Split) -> Lengths:
        """Return how long the utterances of a split are, whatever a missing pattern takes away."""
        if (views, split.name) not in self._lengths:
            self._lengths[views, split.name] = self._measured(views, split)
        return self._lengths[views, split.name]

    def _measured(self, views: Views, split: Split) -> Lengths:
        of_modality = {name: _last_step(source.mask[split.rows]) for name, source in self.views[views].items()}
        bucket = (np.maximum.reduce([*of_modality.values()]) - 1) // BUCKET
        longest = {name: np.ones(bucket.max(initial=0) + 1, dtype=np.int64) for name in of_modality}
        for name, steps in of_modality.items():
            np.maximum.at(longest[name], bucket, steps)
        return Lengths(bucket, {name: np.maximum.accumulate(steps) for name, steps in longest.items()})

    def signals(
        self,
        views: Views,
        split: Split,
        rows: Tensor,
        present: Present,
        owner: Tensor | None = None,
        lengths: Mapping[str, int] | None = None,
    ) -> dict[str, Signal]:
        """Return the signals of some rows, every masked value overwritten by `fill`.

        Whatever a method does, it cannot read what a missing pattern took away: it is not in the batch.

        Args:
            views: Of a modality that has tokens: `pooled` or `sequence`.
            split: The split that `rows` count within.
            rows: [..., B]; with `owner`, [S, B].
            present: Modality -> bool [..., B, 1 or T]; with `owner`, [C, B, 1 or T].
            owner: [C], which of the S rows each cell has. None: rows are the cells' own.
            lengths: Modality -> how many steps to read, of which no row has more. None: as many as there are.
        """
        at = split.rows[rows]
        return {
            modality: self._signal(source, at, present[modality], owner, lengths[modality] if lengths else None)
            for modality, source in self.views[views].items()
        }

    def _signal(self, source: Source, at: Tensor, present: Tensor, owner: Tensor | None, steps: int | None) -> Signal:
        values, whole = source.values[:, :steps][at].to(self.dtype), source.mask[:, :steps][at]
        present = present[..., :steps]
        values = of_cells(layer_norm(values, values.shape[-1:]), owner)
        mask = of_cells(whole, owner) & present
        share = (mask.sum(-1) / of_cells(whole.sum(-1).clamp(min=1), owner)).to(self.dtype)
        return Signal(torch.where(mask.unsqueeze(-1), values, self.fill), mask, share)


def of_cells(x: Tensor, owner: Tensor | None) -> Tensor:
    """Return for C cells what S groups of them share: [S, ...] -> [C, ...], by `owner` [C]; None leaves it as it is."""
    if owner is None:
        return x
    return x.expand(len(owner), *x.shape[1:]) if len(x) == 1 else x[owner]


def _last_step(mask: Tensor) -> NDArray[np.int64]:
    """Return the place after the last step in a mask [N, T], at least 1."""
    at = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    return (mask * at).amax(dim=1).clamp(min=1).cpu().numpy()


def on_device(present: Presence, device: torch.device) -> dict[str, Tensor]:
    """Return a presence mask as tensors."""
    return {modality: torch.from_numpy(mask).to(device) for modality, mask in present.items()}


def load_data(features: FeatureSet, device: torch.device, dtype: torch.dtype, fill: float = 0.0) -> Data:
    """Return the data of a feature set on a device.

    Args:
        features: The features.
        device: Where they are to lie.
        dtype: Of the signals of a batch.
        fill: What stands in place of every masked value (NaN in tests).
    """
    kind = dtype if features.info.task == "regression" else torch.int64
    labels = torch.from_numpy(features.index["label"].to_numpy().copy()).to(device, kind)
    draws = features.index["draw"].to_numpy().astype(np.int64)

    def split(name: str) -> Split:
        rows: NDArray[np.int64] = features.rows(name)
        here = torch.from_numpy(rows).to(device)
        return Split(name, here, labels[here], draws[rows], features.real(rows))

    def source(view: View) -> Source:
        return Source(*(torch.from_numpy(array).to(device) for array in view))

    with warnings.catch_warnings():  # torch warns that a memory-mapped array must not be written to; none is
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        pooled = {modality: source(view) for modality, view in features.signals.items()}
        tokens = {modality: source(view) for modality, view in features.tokens.items()}
    views: dict[Views, dict[str, Source]] = {"pooled": pooled, "sequence": {**pooled, **tokens}}
    return Data(views, {n: split(n) for n in ("train", "valid", "test")}, features.outputs, dtype, fill)
