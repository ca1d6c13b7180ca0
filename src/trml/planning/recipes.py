"""The recipe of every folder of work/: what decides its bytes. Its digest is the folder's name.

A recipe holds the configuration of its component, the names of upstream folders, the digest of the source that runs,
the versions of libraries and, where torch computes, device and threads. The source starts from root modules by
component, so that editing one encoder, corpus or claim renames nothing else. What a stage finds by scanning a folder is
a root of its recipe by the same scan; of missing patterns, those that it looks up by name.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from trml.base.digests import digest, file_digest, versions
from trml.base.modules import components, module_file
from trml.corpora.registry import Corpus, builder
from trml.evaluation.contract import Study
from trml.features.encoders.registry import Encoder
from trml.missing.conditions import stepwise
from trml.missing.registry import missing_pattern, pattern_module
from trml.planning.compute import Compute
from trml.planning.source_digest import source_digest
from trml.training.contract import Cell, CellSpec, Settings, Training

TRAINED_WITH = ("torch", "numpy", "scikit-learn")


def patterns_of_cell(missing: str | None, modalities: Sequence[str]) -> list[str]:
    """Return the modules of the missing patterns that a cell runs.

    They are the one that it is trained with (`missing`, None for none), and those of steps that it is predicted under.
    The other patterns are put together from its predictions.
    """
    trained = None if missing is None else missing_pattern(missing, modalities)
    names = {pattern.name for pattern in stepwise(trained, modalities)} | ({missing} if missing else set())
    return sorted({pattern_module(name, modalities) for name in names})


def patterns_of_study(study: Study) -> list[str]:
    """Return the modules of the missing patterns that scores and probes look up, by name.

    They are what a study compares, the loss of one modality, and steps, which complete trainings are predicted under.
    """
    names = {*study.victims, *(study.modalities if len(study.modalities) > 1 else ())}
    modules = {pattern_module(name, study.modalities) for name in names}
    return sorted(modules.union(patterns_of_cell(None, study.modalities)))


def corpus(config: Corpus, files: Any) -> dict[str, Any]:
    """Return the recipe of a corpus; `files`: names and checksums of its raw files."""
    return {
        "config": config.recipe(),
        "files": files,
        "source": source_digest(builder(config)),
        "versions": versions("numpy", *config.packages),
    }


def encoder(config: Encoder, seed: int, corpus: str, compute: Compute) -> dict[str, Any]:
    """Return the recipe of an encoder that the workflow trains."""
    return {
        "config": config.pretraining_recipe(),
        "seed": seed,
        "corpus": corpus,
        "source": source_digest(config.pretrain_module),
        "versions": versions("torch", "numpy", *config.packages),
        **compute.recipe(),
    }


def features(config: Encoder, weights: Sequence[str], corpus: str, encoder: str | None, compute: Compute) -> Any:
    """Return the recipe of features that an encoder computes; `weights`: checksums of weights that a user provides."""
    return {
        "config": config.recipe(),
        "weights": list(weights),
        "corpus": corpus,
        "encoder": encoder,
        "source": source_digest("trml.features.encode", "trml.features.gather", config.encoder_module),
        "versions": versions("torch", "numpy", "av", "pillow", *config.packages),
        **compute.recipe(),
    }


def given_features(config: Encoder, corpus: str) -> dict[str, Any]:
    """Return the recipe of features that a corpus brings."""
    return {
        "config": config.recipe(),
        "corpus": corpus,
        "source": source_digest("trml.features.given"),
        "versions": versions("numpy"),
    }


class CellDigests:
    """The digests of one dataset's cells. What they have in common is worked out once.

    Args:
        settings: How cells are trained. How many are stacked moves no number and is left out.
        features: Name of the feature folder.
        compute: What torch computes on.
        modalities: Of the features, in order.
    """

    def __init__(self, settings: Settings, features: str, compute: Compute, modalities: Sequence[str]) -> None:
        trained = {key: value for key, value in asdict(settings).items() if key != "chunk"}
        self._shared = {
            "settings": trained,
            "features": features,
            "versions": versions(*TRAINED_WITH),
            **compute.recipe(),
        }
        self._modalities = tuple(modalities)
        self._patterns: dict[str | None, str] = {}

    def __call__(self, spec: CellSpec) -> str:
        """Return the digest of a cell. Method and variant are names of it, and what they mean is in its options."""
        return digest(
            {
                **self._shared,
                "target": spec.target,
                "options": dict(spec.options),
                "missing": spec.missing,
                "rate": spec.rate,
                "dev_rate": spec.dev_rate,
                "seed": spec.seed,
                "labels": spec.labels,
                "label_noise": spec.label_noise,
                "absence": spec.absence,
                "weighted": spec.weighted,
                "source": source_of_cells(spec.target.rpartition(".")[0]),
                "patterns": self._source_of_patterns(spec.missing),
            }
        )

    def _source_of_patterns(self, missing: str | None) -> str:
        if missing not in self._patterns:
            self._patterns[missing] = source_digest(*patterns_of_cell(missing, self._modalities))
        return self._patterns[missing]


@cache
def source_of_cells(module: str) -> str:
    """Return the digest of the source that trains the methods of a module. Remembered: a plan asks once a cell."""
    return source_digest(module, "trml.training.trainer")


def probes(
    study: Study, cells: Mapping[tuple[str, str, int], Cell], analysed: Sequence[Cell] | None, compute: Compute
) -> dict[str, Any]:
    """Return the recipe of the probes.

    Args:
        study: What is compared.
        cells: Those that every experiment probes, by method, victim and seed.
        analysed: Those that further analyses read beside them; None without such analyses.
        compute: What torch computes on.
    """
    return {
        "proposed": study.proposed.name if study.proposed else None,
        "modalities": list(study.modalities),
        "study_rate": study.study_training_rate,
        "seed": study.seed,
        "cells": [[*key, cell.digest] for key, cell in cells.items()],
        "analysed": None if analysed is None else [cell.name for cell in analysed],
        "source": source_digest(
            "trml.evaluation.probing.probe", *components("evaluation.metrics").values(), *patterns_of_study(study)
        ),
        "versions": versions("torch", "scikit-learn", "polars", "numpy", "av", "pillow"),
        **compute.recipe(),
    }


def references(study: Study, features: str) -> dict[str, Any]:
    """Return the recipe of the predictions of reference models; the name of the features stands for the corpus too."""
    return {
        **{key: getattr(study, key) for key in ("corpus", "labels", "label_noise")},
        "modalities": list(study.modalities),
        "seeds": list(study.seeds),
        "features": features,
        "source": source_digest("trml.evaluation.references", *components("evaluation.metrics").values()),
        "versions": versions("polars", "numpy", "scikit-learn"),
    }


def evaluation(
    study: Study,
    cells: Mapping[Training, Cell],
    references: str,
    probes: str | None,
    others: Sequence[tuple[Study, Mapping[Training, Cell], str]],
) -> dict[str, Any]:
    """Return the recipe of scores and claims; `others`: study, cells and references of the further datasets."""

    def compared(study: Study, cells: Mapping[Training, Cell], references: str) -> list[Any]:
        shown = {key: value for key, value in asdict(study).items() if key != "shown_rates"}  # the report's alone
        return [shown, [[*training, cell.name] for training, cell in cells.items()], references]

    return {
        "own": compared(study, cells, references),
        "others": [compared(*other) for other in others],
        "probes": probes,
        "source": source_digest(
            "trml.evaluation.evaluate",
            *components("evaluation.claims").values(),
            *components("evaluation.metrics").values(),
            *(module for each in (study, *(other for other, *_ in others)) for module in patterns_of_study(each)),
        ),
        "versions": versions("polars", "numpy", "scipy", "scikit-learn"),
    }


def results(datasets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the recipe of tables, figures and the page; `datasets`: what the report reads of each, the own first."""
    return {
        "datasets": list(datasets),
        "source": source_digest(
            "trml.report.build", *components("report.tables").values(), *components("report.figures").values()
        ),
        "files": _page_files(),
        "versions": versions("matplotlib", "altair", "vl-convert-python", "polars", "numpy", "jinja2"),
    }


@cache
def _page_files() -> list[tuple[str, str]]:
    """Return the name and checksum of every data file of the report: the template and published figures."""
    init = module_file("trml.report")
    assert init is not None
    files = [Path(root, name) for root, _, names in os.walk(init.parent) for name in names]
    data = sorted(path for path in files if path.suffix not in (".py", ".pyc"))
    return [(str(path.relative_to(init.parent)), file_digest(path)) for path in data]
