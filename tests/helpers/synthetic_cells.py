"""A small study, and cells in a store that a test writes itself: no configuration, no plan, no training."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from helpers.stored import write_cell
from helpers.synthetic_features import PAIR, synthetic_features
from trml.base.artifacts import read_json
from trml.base.digests import digest
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.evaluation.contract import EvaluationInputs, Study, StudyMethod, StudyVariant
from trml.evaluation.evaluate import evaluate
from trml.evaluation.references import write_references
from trml.features.contract import FeatureSet, read_features
from trml.features.writer import write_features
from trml.methods.config import DEFAULT
from trml.missing.conditions import predicted_under
from trml.missing.modalities import written
from trml.training.contract import Cell, CellSpec, Outcome, Predicted, Training

TARGETS = {
    "trml": "trml.methods.trml.TRML",
    "supervised_single": "trml.methods.supervised_single.SupervisedSingle",
    "supervised_single_matched": "trml.methods.supervised_single.SupervisedSingleMatched",
    "zero_fill": "trml.methods.zero_fill.ZeroFill",
    "supervised_double": "trml.methods.zero_fill.ZeroFill",
}
PROPOSED = StudyMethod(
    "trml",
    "TRML",
    "proposed",
    False,
    {"temperature": 0.07, "weight": 0.1},
    (
        StudyVariant("no_l_v", "without l_v", "loss", {"use_l_v": 0.0}),
        StudyVariant("no_l_sml", "without L_sml", "loss", {"weight": 0.0}),
        StudyVariant("cosine", "matching by cosine", "design", {"matching": "cosine"}),
    ),
)
METHODS = (
    PROPOSED,
    StudyMethod("supervised_single", "Supervised-Single", "baseline", True, {"hidden": 8}),
    StudyMethod("supervised_single_matched", "Supervised-Single, TRML's size", "baseline", True, {"hidden": 16}),
    StudyMethod("zero_fill", "Zero fill", "baseline", False, {"drop": 0.1}),
    StudyMethod("supervised_double", "Supervised-Double", "upper", False, {"drop": 0.0}),
)
SWEEP = tuple(
    StudyVariant(f"temperature={value}", f"temperature = {value}", "sweep", {"temperature": value})
    for value in (0.07, 0.5)
)
STUDY = Study(
    name="synthetic",
    dataset=None,
    purpose="own",
    corpus="synthetic",
    modalities=PAIR,
    methods=METHODS,
    training="matched",
    victims=("vision", "text"),
    rates=(0.0, 0.5, 1.0),
    study_rate=0.5,
    complete=(0.5,),
    labels=None,
    told=True,
    seeds=(1, 2, 3),
    shown_rates=(0.5, 1.0),
    seed=1,
)


# Of a CellSpec: names, and what is the same for all cells here. Errors are drawn by the digest of the rest.
UNVARIED = ("method", "variant", "label_noise", "absence", "weighted")


def with_sweep(study: Study) -> Study:
    """Return the study with a sweep over the temperature."""
    swept = replace(PROPOSED, variants=(*PROPOSED.variants, *SWEEP))
    return replace(study, methods=(swept, *study.methods[1:]))


def inputs_of(folder: Path, study: Study = STUDY, features: FeatureSet | None = None) -> EvaluationInputs:
    """Write features, and return what evaluation reads of a study below `folder`; its cells are not written yet.

    Args:
        folder: For features and cells.
        study: What is compared.
        features: Those of the cells; None makes 600 utterances, 100 of them test.
    """
    features = synthetic_features(n=600, modalities=study.modalities) if features is None else features
    path = folder / "features"
    path.mkdir(parents=True)
    write_features(path, features)
    write_utterances(folder / "corpus", features)
    cells: dict[Training, Cell] = {}
    stored: dict[str, Cell] = {}
    for training, moved in trainings(study):
        spec = spec_of(study, training, moved)
        name = digest({k: v for k, v in asdict(spec).items() if k not in UNVARIED})
        cells[training] = stored.setdefault(name, Cell(spec, name, folder / "cells"))
    made = folder / "references"
    made.mkdir()
    write_references(study, folder / "corpus", path, made)
    return EvaluationInputs(study, cells, folder / "corpus", path, made)


def trainings(study: Study) -> Iterator[tuple[Training, dict[str, Any]]]:
    """Yield every training of a study, and the options that its variant moves."""
    for method, seed in product(study.methods, study.seeds):
        for victim in study.victims:
            rates = dict.fromkeys(study.training_rate(rate) for rate in study.rates_of(victim))
            for rate in rates if study.runs(method, victim) else ():
                yield Training(method.name, DEFAULT, victim, rate, rate, seed), {}
        for victim, rate in product(study.single_victims, study.setting_rates):
            yield Training(method.name, DEFAULT, victim, rate, 1.0, seed), {}
        for victim, variant in product(study.single_victims, method.variants):
            rate = study.study_training_rate
            training = Training(method.name, variant.name, victim, rate, rate, seed)
            yield training, dict(variant.options)


def spec_of(study: Study, training: Training, moved: dict[str, Any]) -> CellSpec:
    """Return the cell that stands for a training.

    The upper bound and the methods of one modality are trained on complete data whatever the rate.
    """
    method, missing = study.by_name[training.method], study.pattern(training.victim)
    free = method.single or method.role == "upper"
    rate, dev_rate = (0.0, 0.0) if free else (training.rate, training.dev_rate)
    victim: str | None = training.victim
    if missing.level == "step" and rate == dev_rate == 1.0:
        victim = written(missing.lost[0])
    if rate == dev_rate == 0.0 and not method.single:
        victim = None
    options, target = {**method.options, **moved}, TARGETS.get(method.name, "nowhere.Method")
    return CellSpec(method.name, training.variant, target, options, victim, rate, dev_rate, training.seed)


def evaluated(inputs: EvaluationInputs, folder: Path) -> dict[str, dict[str, Any]]:
    """Evaluate into a new folder; return its claims by id."""
    folder.mkdir()
    evaluate(inputs, folder)
    return {claim["id"]: claim for claim in read_json(folder / "claims.json")}


# What a test says of a cell's predictions: (cell, present) -> the scale of their errors.
Errors = Callable[[Cell, str], float]


def fill(inputs: EvaluationInputs, error_of: Errors, cells: Iterable[Cell] | None = None) -> None:
    """Write cells, all of them by default, with errors drawn at a scale: classes are wrong with that probability."""
    study, features = inputs.study, read_features(inputs.features)
    for cell in inputs.distinct_cells() if cells is None else cells:
        rng, predictions = np.random.default_rng(int(cell.digest, 16)), {}
        missing = study.pattern(cell.spec.missing) if cell.spec.missing else None
        for split, present in predicted_under(missing, study.modalities):
            label = features.index["label"].to_numpy()[features.rows(split)]
            if features.info.task == "regression":
                value = label + rng.normal(size=len(label)) * error_of(cell, present)
            else:
                drawn = rng.integers(0, len(features.info.classes), size=len(label))
                value = np.where(rng.random(len(label)) < error_of(cell, present), drawn, label)
            predictions[split, present] = value.astype(np.float32)
        write(cell, predictions, features)


def write(cell: Cell, predictions: dict[tuple[str, str], np.ndarray], features: FeatureSet) -> None:
    """Write a cell with these predictions by (split, present)."""
    ids = {split: features.index["utterance_id"].gather(features.rows(split)).to_list() for split in ("valid", "test")}
    made = {key: Predicted(value.astype(np.float32)) for key, value in predictions.items()}
    history = [{"epoch": 0, "train_loss": 1.0, "dev_loss": 1.0}]
    write_cell(cell, Outcome(made, history, 0, {}, 1), ids, features.info.classes)


def write_failed(cell: Cell, reason: str = "the training loss was nan") -> None:
    """Write a cell whose training failed."""
    history = [{"epoch": 0, "train_loss": float("nan"), "dev_loss": 1.0}]
    write_cell(cell, Outcome({}, history, -1, {}, 0, reason), {})


def scaled(by_method: dict[str, float], other: float, variants: Sequence[str] = (DEFAULT,)) -> Errors:
    """Return errors of a scale by method, for these variants of it; `other` for all else."""
    return lambda cell, _: by_method.get(cell.spec.method, other) if cell.spec.variant in variants else other


def real_methods(raw: dict[str, Any], names: Sequence[str], variants: Sequence[str] = ()) -> tuple[StudyMethod, ...]:
    """Return methods with the options of a configuration at a small size, to be trained.

    Args:
        raw: params.yaml.
        names: Of the methods.
        variants: Those of the proposed method that are kept.
    """
    methods = []
    for name in names:
        of = raw["methods"][name]
        kept = [
            StudyVariant(
                v, of["variants"][v]["label"], of["variants"][v].get("of", "loss"), of["variants"][v]["options"]
            )
            for v in variants
            if v in of["variants"]
        ]
        single, options = "victim" in of["depends_on"], {**of["options"], "hidden": 8}
        methods.append(StudyMethod(name, of["label"], of["role"], single, options, tuple(kept)))
    return tuple(methods)


def write_utterances(corpus: Path, features: FeatureSet, *, redundancy: float | None = None) -> None:
    """Write a corpus of one picture, two utterances a group, with a sentence for each that has a text."""
    corpus.mkdir(parents=True)
    Image.new("RGB", (20, 10), (200, 30, 30)).save(corpus / "clip.png")
    has_text = features.signals["text"].mask.any(axis=1)
    ids, info = features.index["utterance_id"].to_list(), features.info
    table = features.index.with_columns(
        video_id=pl.Series([f"v{i // 2}" for i in range(len(ids))]),
        text=pl.Series([f"sentence of {name}" if has else "" for name, has in zip(ids, has_text, strict=True)]),
        clip=pl.lit("clip.png"),
        start_s=pl.lit(0.0),
        end_s=pl.lit(1.0),
    )
    about = CorpusInfo(
        "synthetic", "Synthetic", info.task, info.classes, "a test", "MIT", "files", [], "x",
        modalities=info.modalities, redundancy=redundancy,
    )  # fmt: skip
    write_corpus(corpus, about, table)
