"""What is trained in the benchmarks: synthetic features, cells, and the settings of the default configuration."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import yaml

from benchmarks.child import ROOT
from trml.base.artifacts import write_json
from trml.base.digests import digest
from trml.config.compose import compose
from trml.config.load import check
from trml.config.params import Params
from trml.features.contract import FeatureInfo
from trml.planning.study import settings_of
from trml.training.contract import Cell, CellSpec, Settings

FRAMES = 8
RATES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
TEMPERATURES = (0.01, 0.03, 0.05, 0.07, 0.1, 0.2, 0.5, 1.0)
_CELLS_A_SEED = 40  # about what the default has of TRML
_SLAB = 2000


class Size(NamedTuple):
    """The sizes of a training: features d, hidden size, utterances in a batch and in each split."""

    name: str
    d: int
    hidden: int
    batch: int
    utterances: tuple[int, int, int] = (800, 150, 250)


PANTOMIME = Size("pantomime", 64, 64, 64)
SIZES = (PANTOMIME, Size("d=128", 128, 128, 32), Size("d=512", 512, 128, 64))


@lru_cache
def configuration(*overrides: str) -> Params:
    """Return the configuration that config/ and the overrides compose to, whatever params.yaml holds."""
    return check(yaml.safe_load(compose(list(overrides), ROOT / "config")))


def cells(method: str, size: Size, count: int) -> list[Cell]:
    """Return cells of a method as a grid has them: seed after seed, over victims, rates and TRML's temperatures."""
    return [
        cell(
            method,
            size,
            ("vision", "text")[i % 2],
            RATES[i // 2 % len(RATES)],
            2020 + i // _CELLS_A_SEED,
            {"temperature": TEMPERATURES[i % len(TEMPERATURES)]} if method == "trml" else {},
        )
        for i in range(count)
    ]


def cell(method: str, size: Size, missing: str, rate: float, seed: int, moved: Mapping[str, Any] | None = None) -> Cell:
    """Return a cell of a configured method at this size, some of its options moved."""
    config = configuration().methods[method]
    options = {**config.options, "hidden": size.hidden, **(moved or {})}
    del options["epochs"]  # the settings say how many
    return as_cell(CellSpec(method, "default", config.target, options, missing, rate, rate, seed))


def as_cell(spec: CellSpec) -> Cell:
    """Return a cell that no store holds."""
    return Cell(spec, digest(asdict(spec)), Path("nowhere"))


def settings(size: Size, epochs: int, chunk: int | None = None) -> Settings:
    """Return the default's settings at this size. No training stops early, so that all do the same work."""
    default = settings_of(configuration())
    return replace(default, epochs=epochs, patience=epochs, batch_size=size.batch, chunk=chunk)


def index(size: Size, rng: np.random.Generator) -> pl.DataFrame:
    """Return the index of features: utterances of a size with random labels, all of one training set."""
    n = sum(size.utterances)
    columns = {
        "utterance_id": [f"u{i}" for i in range(n)],
        "split": np.repeat(["train", "valid", "test"], size.utterances),
        "label": rng.uniform(-3, 3, n).astype(np.float32),
        "draw": np.zeros(n, dtype=np.int32),
    }
    return pl.DataFrame(columns)


def write_features(folder: Path, size: Size) -> Path:
    """Write a feature folder of random numbers and random labels, every modality present.

    It is written in slabs, all with the same numbers, so that its size needs no memory. Training takes the same time on
    any numbers.
    """
    n, rng = sum(size.utterances), np.random.default_rng(0)
    folder.mkdir(parents=True)
    steps = {"text": 1, "vision": FRAMES}
    for modality, length in steps.items():
        shape = (length, size.d)
        slab = rng.standard_normal((min(n, _SLAB), *shape), dtype=np.float32)
        array = np.lib.format.open_memmap(folder / f"{modality}.npy", "w+", np.float32, (n, *shape))
        for start in range(0, n, _SLAB):
            array[start : start + _SLAB] = slab[: n - start]
        array.flush()
        np.save(folder / f"{modality}_mask.npy", np.ones((n, length), dtype=bool))
    index(size, rng).write_parquet(folder / "index.parquet")
    info = FeatureInfo("synthetic", "random numbers", True, None, "regression", [], "synthetic", list(steps))
    write_json(folder / "features.json", asdict(info))
    return folder
