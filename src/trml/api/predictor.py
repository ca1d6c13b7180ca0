"""Trained models for clips and texts of your own: predictions, what they rest on, and what stands for the missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from trml.api.result import load
from trml.base.errors import ContractError, DataMissing
from trml.base.files import not_a_file
from trml.base.printable import few
from trml.config.load import load as load_params
from trml.corpora.contract import read_corpus
from trml.features.chunk import Reading, encode_chunk
from trml.features.contract import FeatureSet, View, read_features
from trml.features.encoders.contract import Encoder
from trml.features.encoders.registry import load_encoder
from trml.missing.modalities import in_order
from trml.planning.plan import Plan, plans
from trml.planning.serving import serving_cells
from trml.planning.study import settings_of
from trml.sources.formats.media_fragment import split_part
from trml.training.applied import Present, neighbours, numbers, predicted, shapley, with_new, without
from trml.training.data import Data, load_data

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Neighbour:
    """A real utterance whose vector of the missing modality is near the virtual one. `similarity`: cosine, -1 to 1."""

    id: str
    split: str
    text: str
    clip: str | None
    similarity: float


@dataclass(frozen=True)
class Prediction:
    """The prediction of one utterance.

    Attributes:
        present: The modalities that it was made from, in order.
        value: Mean over the seeds: a score from -3 to 3, or the probability of `label`.
        spread: Standard deviation over the seeds, with n - 1; None with one seed.
        by_seed: Seed -> score, or probability of `label`.
        label: The class with the largest mean probability; None for scores.
        classes: Class -> mean probability; empty for scores.
        rests_on: Modality -> its Shapley value, by how much it moved `value` from `base`.
        base: What is predicted from nothing: the mean training label, or the share of `label` in training.
        missing: The modality that a virtual one stands in for; None if the method makes none, or several are missing.
        neighbours: The real utterances nearest to the virtual modality, by the first seed.
        note: Why the clip was not read, else None.
    """

    present: tuple[str, ...]
    value: float
    spread: float | None
    by_seed: Mapping[int, float]
    label: str | None
    classes: Mapping[str, float]
    rests_on: Mapping[str, float]
    base: float
    missing: str | None = None
    neighbours: Sequence[Neighbour] = ()
    note: str | None = None


def predictor(result: str | Path, method: str | None = None) -> "Predictor":
    """Return a method's trained models, of every seed.

    Args:
        result: A name below results/, or a folder. Its trainings, features and encoder are in work/.
        method: Its name, None for the proposed method.

    Raises:
        DataMissing: If there are no such results, or work/ has not what they were made from.
        ConfigError: If the experiment has no such method.

    Examples:
        >>> import trml
        >>> trml.predictor("pantomime_full").predict([{"text": "what a day", "clip": "clip.mp4"}, {"clip": "b.jpg"}])
    """
    published = load(result)
    own = plans(load_params(published.folder / "params.yaml"))[0]
    if method is None:
        if own.study.proposed is None:
            raise DataMissing(f"{published.folder} has no proposed method; name one of {', '.join(own.study.by_name)}")
        method = own.study.proposed.name
    serving_cells(own, method, own.params.modalities)  # refuses what is no method
    for folder, finished in (
        (own.corpus, "corpus.json"),
        (own.features, "features.json"),
        (own.encoder, "encoder.json"),
    ):
        if folder is not None and not (folder / finished).is_file():
            raise DataMissing(
                f"{folder} is absent: {published.folder} was not made here with this source. Make it: {own.command}"
            )
    if own.is_given:
        raise DataMissing(f"{own.params.corpus.name} brings its features, so clips and texts cannot be encoded for it")
    return Predictor(own, method)


@dataclass(frozen=True)
class Predictor:
    """The trained models of a method on the own dataset of an experiment. Made by `predictor`."""

    plan: Plan
    method: str

    @cached_property
    def _features(self) -> FeatureSet:
        return read_features(self.plan.features)

    @cached_property
    def _data(self) -> Data:
        return load_data(self._features, _CPU, torch.float32)

    @cached_property
    def _encoder(self) -> Encoder:
        return load_encoder(self.plan.params.encoder, self.plan.encoder, _CPU)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What an utterance may have, in order."""
        return tuple(self._features.info.modalities)

    @property
    def label_range(self) -> tuple[float, float] | None:
        """The range of the labels that were brought, which -3 to 3 stands for; None if it is that, or for classes."""
        if self._features.info.classes:
            return None
        low, high = getattr(self.plan.params.corpus, "label_range", None) or (-3.0, 3.0)
        return None if (low, high) == (-3.0, 3.0) else (low, high)

    @property
    def notes(self) -> list[str]:
        """What a reader of a prediction should know of the models."""
        encoder, corpus = self.plan.params.encoder, self.plan.params.corpus
        if self.plan.encoder is None:
            return []
        return [f"{encoder.name} was trained on {corpus.name} alone; other clips and texts need another encoder."]

    def predict(self, items: Sequence[Mapping[str, Any]], count: int = 3) -> list[Prediction]:
        """Return the prediction of each item.

        Args:
            items: With `text`, a sentence, and `clip`, a path to a picture or video; one may be absent, None or empty.
            count: How many neighbours of a virtual modality to return.

        Raises:
            ContractError: If an item has neither, or its clip cannot be read and it has no text.
            DataMissing: If a clip does not exist.
            StoreError: If work/ lacks the weights of a training.
        """
        views, reasons = self._encoded(items)
        present = [
            frozenset(name for name in self.modalities if views[name].mask[row].any()) for row in range(len(items))
        ]
        for row, each in enumerate(present):
            if not each:
                why = reasons[row] or f"expected at least one of {', '.join(self.modalities)}"
                raise ContractError(f"item {row + 1} has nothing to predict from: {why}")
        found: dict[int, Prediction] = {}
        for kind in dict.fromkeys(present):
            rows = [row for row, each in enumerate(present) if each == kind]
            part = {name: View(view.values[rows], view.mask[rows]) for name, view in views.items()}
            for row, prediction in zip(rows, self._of_kind(with_new(self._data, part), kind, count), strict=True):
                found[row] = replace(prediction, note=reasons[row] or None)
        return [found[row] for row in range(len(items))]

    def encode(self, items: Sequence[Mapping[str, Any]]) -> Mapping[str, View]:
        """Return what methods are given of each item: its vectors by modality, and which of them are there.

        Args:
            items: As for `predict`.

        Raises:
            DataMissing: If a clip does not exist.
        """
        return self._encoded(items)[0]

    def _encoded(self, items: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, View], list[str]]:
        for row, item in enumerate(items, 1):
            if not {"text", "clip"} & item.keys():
                raise ContractError(f"item {row} has {few(list(map(str, item)))}; expected text, clip or both")
        clips = [str(Path(item["clip"]).resolve()) if item.get("clip") else None for item in items]
        for clip in filter(None, clips):
            if (kind := not_a_file(Path(split_part(clip)[0]))) is not None:
                raise DataMissing(f"{clip} {kind}; expected a picture or a video")
        table = pl.DataFrame(
            {"text": [item.get("text") or "" for item in items], "clip": clips},
            schema={"text": pl.String, "clip": pl.String},
        )
        config = self.plan.params.encoder
        chunk = encode_chunk(self._encoder, self.modalities, table, Reading.of(config, Path("/"), _CPU))
        return chunk.views, [str(reason) for reason in chunk.reason]

    def _of_kind(self, data: Data, present: Present, count: int) -> list[Prediction]:
        """Return the predictions of items that all have the same modalities."""
        study, info = self.plan.study, self._features.info
        subsets = [frozenset(each) for n in range(1, len(present) + 1) for each in combinations(sorted(present), n)]
        by_seed = {each: self._numbers(without(data, present - each), each) for each in subsets}
        n = by_seed[present].shape[1]
        value = {each: numbers.mean(axis=0) for each, numbers in by_seed.items()}
        value[frozenset()] = np.broadcast_to(self._base, value[present].shape)
        shares = shapley(value, present)
        near = self._near(data, present, count) if len(self.modalities) - len(present) == 1 else None
        predictions = []
        for i in range(n):
            k = int(value[present][i].argmax()) if info.classes else 0
            seeds = by_seed[present][:, i, k]
            predictions.append(
                Prediction(
                    present=in_order(present),
                    value=float(value[present][i, k]),
                    spread=float(seeds.std(ddof=1)) if len(seeds) > 1 else None,
                    by_seed=dict(zip(study.seeds, map(float, seeds), strict=True)),
                    label=info.classes[k] if info.classes else None,
                    classes=dict(zip(info.classes, map(float, value[present][i]), strict=True)) if info.classes else {},
                    rests_on={name: float(shares[name][i, k]) for name in in_order(present)},
                    base=float(self._base[k]),
                    missing=near[0] if near else None,
                    neighbours=near[1][i] if near else (),
                )
            )
        return predictions

    def _numbers(self, data: Data, present: Present) -> NDArray[np.float64]:
        cells = serving_cells(self.plan, self.method, present)
        return numbers([predicted(cell, data, settings_of(self.plan.params)) for cell in cells])

    @cached_property
    def _base(self) -> NDArray[np.float64]:
        """What is predicted from nothing, [1] or [K]."""
        labels = self._data.splits["train"].label.numpy()
        if self._features.info.task == "regression":
            return np.array([labels.astype(float).mean()])
        return np.bincount(labels.astype(int), minlength=self._features.outputs) / len(labels)

    def _near(self, data: Data, present: Present, count: int) -> tuple[str, list[list[Neighbour]]] | None:
        """Return the missing modality and, of each item, the real utterances nearest to what stands in for it."""
        (missing,) = set(self.modalities) - present
        cell = serving_cells(self.plan, self.method, present)[0]
        rows = self._complete_training_rows
        named = self._features.named_views()
        known = with_new(self._data, {name: View(view.values[rows], view.mask[rows]) for name, view in named.items()})
        found = neighbours(cell, data, known, missing, settings_of(self.plan.params), count)
        if found is None:
            return None
        index = self._features.index[rows].select("utterance_id", "split")
        _, utterances = read_corpus(self.plan.corpus)
        about = index.join(
            utterances.select("utterance_id", "text", "clip"), on="utterance_id", how="left", maintain_order="left"
        ).to_dicts()
        return missing, [
            [
                Neighbour(
                    about[j]["utterance_id"], about[j]["split"], about[j]["text"], about[j]["clip"], float(cosine)
                )
                for j, cosine in zip(places, cosines, strict=True)
            ]
            for places, cosines in zip(found.rows, found.cosine, strict=True)
        ]

    @cached_property
    def _complete_training_rows(self) -> NDArray[np.int64]:
        """The training utterances of the first draw that have every modality."""
        rows = self._features.rows("train")
        is_complete = np.logical_and.reduce([real.any(axis=1) for real in self._features.real(rows).values()])
        return rows[is_complete & (self._features.index["draw"].to_numpy()[rows] == 0)]
