"""What is trained in the benchmarks: made features, made cells, the settings of the default configuration."""

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import yaml

from benchmarks.child import ROOT
from trml.base.artifacts import write_json
from trml.config.compose import compose
from trml.config.load import check
from trml.config.params import Params
from trml.features.contract import FeatureInfo
from trml.training.new_method import Settings

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


@dataclass(frozen=True)
class MadeCell:
    """A cell as the trainer needs it."""

    digest: str
    target: str
    options: dict[str, Any]
    victim: str
    rate: float
    seed: int

    @property
    def dev_rate(self) -> float:
        """The missing rate of the dev split."""
        return self.rate


@lru_cache
def configuration(*overrides: str) -> Params:
    """The configuration that config/ and the overrides compose to, whatever params.yaml holds."""
    return check(yaml.safe_load(compose(list(overrides), ROOT / "config")))


def cells(method: str, size: Size, count: int) -> list[MadeCell]:
    """Cells of a method as a grid has them: seed after seed, over victims, rates and, for TRML, temperatures."""
    config = configuration().methods[method]
    found = []
    for i in range(count):
        moved = {"temperature": TEMPERATURES[i % len(TEMPERATURES)]} if method == "trml" else {}
        options = {**config.options, "hidden": size.hidden, **moved}
        victim = ("vision", "text")[i % 2]
        rate, seed = RATES[i // 2 % len(RATES)], 2020 + i // _CELLS_A_SEED
        found.append(MadeCell(f"{method}-{i}", config.target, options, victim, rate, seed))
    return found


def settings(size: Size, epochs: int, chunk: int | None = None) -> Settings:
    """The default's settings at this size. No training stops early, so that all do the same work."""
    return replace(Settings.of(configuration()), epochs=epochs, patience=epochs, batch_size=size.batch, chunk=chunk)


def write_features(folder: Path, size: Size) -> Path:
    """Write a feature folder of random numbers and random labels, every modality present. It is written in slabs, all
    with the same numbers, so that its size needs no memory; training takes the same time on any numbers."""
    n, rng = sum(size.utterances), np.random.default_rng(0)
    folder.mkdir(parents=True)
    for name, shape in {"text": (size.d,), "frames": (FRAMES, size.d)}.items():
        slab = rng.standard_normal((min(n, _SLAB), *shape), dtype=np.float32)
        array = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (n, *shape))
        for start in range(0, n, _SLAB):
            array[start : start + _SLAB] = slab[: n - start]
        array.flush()
    np.save(folder / "frame_mask.npy", np.ones((n, FRAMES), dtype=bool))
    np.save(folder / "present.npy", np.ones((n, 2), dtype=bool))
    columns = {
        "utterance_id": [f"u{i}" for i in range(n)],
        "split": np.repeat(["train", "valid", "test"], size.utterances),
        "label": rng.uniform(-3, 3, n).astype(np.float32),
    }
    pl.DataFrame(columns).write_parquet(folder / "index.parquet")
    info = FeatureInfo("made", "random numbers", True, None, "regression", [], "made")
    write_json(folder / "features.json", asdict(info))
    return folder
