"""Reference rows that every method should beat: linear models of the features, and of the words themselves.

    ridge    ridge regression (of one-hot classes) on the mean feature vector of each present modality
    tfidf    the same on TF-IDF weights of the words and pairs of words, where the text is present

Each has the training set of its seed and the labels that the protocol gives, and its penalty is chosen on dev. It is
fitted on what the corpus has, whatever the protocol takes away, one model for each set of present modalities: it knows
what will be missing. Where methods know that too and none beats it, the features were measured, not the methods.

They are written once for a dataset, so that evaluation needs no features:

    references.parquet    utterance_id, prediction, name, present, seed
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trml.base.errors import ContractError
from trml.corpora.contract import SPLITS
from trml.evaluation.contract import Study
from trml.evaluation.metrics.common.metric import Array, Metric
from trml.evaluation.registry import metrics_of
from trml.features.contract import FeatureSet, View, read_features
from trml.missing.labels import given_labels
from trml.missing.modalities import in_order, subsets, written

PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True)
class _Rows:
    """Rows of the features by what they are there for: the training set of a seed with its labels, dev and test."""

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: NDArray[np.int64]
    label: Array


def references(study: Study, corpus: Path, features: Path) -> dict[str, dict[str, Array]]:
    """Return what the reference models predict of the test utterances: name -> present -> [seeds, N].

    Args:
        study: Whose seeds and labels they use.
        corpus: The corpus folder, which has the texts.
        features: The feature folder.
    """
    given = read_features(features)
    metric = metrics_of(given.info.task, len(given.info.classes))[0]  # the primary one chooses the penalty on dev
    pooled = {name: _pooled(view) for name, view in given.signals.items()}
    texts = _texts(given, corpus)
    fit = _Fit(given, metric)
    every = [_rows(given, study, seed) for seed in study.seeds]

    def from_features(present: frozenset[str]) -> Array:
        columns = np.concatenate([pooled[name] for name in in_order(present)], axis=1)
        return fit.on(lambda _: columns, every)

    made: dict[str, dict[str, Array]] = {"ridge": {written(p): from_features(p) for p in subsets(study.modalities)}}
    if texts is not None:
        from_text = fit.on(lambda train: _tfidf(texts, train), every, scaled=False)
        made["tfidf"] = {written(present): from_text for present in subsets(study.modalities) if "text" in present}
    return made


def write_references(study: Study, corpus: Path, features: Path, folder: Path) -> None:
    """Write references.parquet into `folder`; the arguments are those of `references`."""
    given, parts = read_features(features), []
    ids = given.index["utterance_id"].gather(given.rows("test"))
    for name, by_present in references(study, corpus, features).items():
        for present, predictions in by_present.items():
            for seed, of_seed in zip(study.seeds, predictions, strict=True):
                table = pl.DataFrame({"utterance_id": ids, "prediction": of_seed})
                about = {"name": pl.lit(name), "present": pl.lit(present), "seed": pl.lit(seed, pl.Int64)}
                parts.append(table.with_columns(**about))
    pl.concat(parts).cast({"prediction": pl.Float32}).write_parquet(folder / "references.parquet")


def read_references(folder: Path, ids: Sequence[str], seeds: Sequence[int]) -> dict[str, dict[str, Array]]:
    """Return what `references` did, from the folder that it was written to.

    Raises:
        ContractError: If it is of other utterances or seeds.
    """
    table = pl.read_parquet(folder / "references.parquet")
    made: dict[str, dict[str, Array]] = {}
    for (name, present), part in table.group_by("name", "present", maintain_order=True):
        if part["utterance_id"].to_list() != [*ids] * len(seeds) or part["seed"].unique().to_list() != sorted(seeds):
            raise ContractError(f"{folder}: predictions are not of the {len(ids)} test utterances and seeds {seeds}")
        values = part["prediction"].to_numpy().astype(float).reshape(len(seeds), len(ids))
        made.setdefault(str(name), {})[str(present)] = values
    return made


@dataclass(frozen=True)
class _Fit:
    """Ridge models of the labels of a corpus. A model of rows that were seen before is not fitted again."""

    given: FeatureSet
    metric: Metric

    def on(self, columns: Callable[[NDArray[np.int64]], Any], every: list[_Rows], *, scaled: bool = True) -> Array:
        """Return the predictions [seeds, N]; `columns` makes a matrix of all rows, given those of training."""
        known: dict[bytes, Array] = {}
        keys = [rows.train.tobytes() + rows.label.tobytes() for rows in every]
        for key, rows in zip(keys, every, strict=True):
            if key not in known:
                known[key] = self._predict(columns(rows.train), rows, scaled)
        return np.stack([known[key] for key in keys])

    def _predict(self, x: Any, rows: _Rows, scaled: bool) -> Array:
        label = self.given.index["label"].to_numpy().astype(float)
        sign = 1 if self.metric.higher_is_better else -1
        models = [self._model(penalty, scaled).fit(x[rows.train], rows.label) for penalty in PENALTIES]
        on_dev = [float(self.metric.score(label[rows.valid], m.predict(x[rows.valid]).astype(float))) for m in models]
        return np.asarray(models[int(np.argmax(sign * np.array(on_dev)))].predict(x[rows.test]), dtype=float)

    def _model(self, penalty: float, scaled: bool) -> Any:
        model = Ridge(alpha=penalty) if self.given.info.task == "regression" else RidgeClassifier(alpha=penalty)
        return make_pipeline(StandardScaler(), model) if scaled else model


def _rows(given: FeatureSet, study: Study, seed: int) -> _Rows:
    """Return the rows of a seed: of its training set those that keep a label, in order, and the labels they get."""
    train, valid, test = (given.rows(split) for split in SPLITS)
    draws = given.index["draw"].to_numpy()[train]
    kept, source = given_labels(draws, study.corpus, study.labels, study.label_noise, seed)
    label, order = given.index["label"].to_numpy()[train].astype(float), np.argsort(kept)
    return _Rows(train[kept[order]], valid, test, label[source[order]])


def _pooled(view: View) -> Array:
    """Return the mean vector of each row [N, d + 1]; the last number says whether there is one."""
    mask = np.asarray(view.mask, dtype=np.float32)
    count = mask.sum(axis=1, keepdims=True)
    mean = np.einsum("ntd,nt->nd", view.values, mask) / np.maximum(count, 1)
    return np.concatenate([mean, count > 0], axis=1).astype(float)


def _texts(given: FeatureSet, corpus: Path) -> list[str] | None:
    """Return the text of each row, None for a corpus without texts or whose text is no modality."""
    if "text" not in given.signals:
        return None
    table = pl.read_parquet(corpus / "utterances.parquet", columns=["utterance_id", "text"])
    texts = (
        given.index.join(table, on="utterance_id", how="left", maintain_order="left")["text"].fill_null("").to_list()
    )
    return texts if any(texts) else None


def _tfidf(texts: list[str], train: NDArray[np.int64]) -> Any:
    """Return the weights of all rows, with the words and document frequencies of the training rows."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    try:
        vectorizer.fit([texts[i] for i in train])
    except ValueError:  # too few texts: no word is in two of them
        vectorizer = TfidfVectorizer().fit([*(texts[i] for i in train), "nothing"])
    return vectorizer.transform(texts)
