"""From a configuration to every folder of work/: a pure function, without torch, cheap enough for a dry run.

A folder's name ends in the digest of its recipe (store.py), so the plan is also the test of what is up to date:
what is there under its name is valid, what is not there is to be made.
"""

import os
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

from trml.config import Encoder, OpenClipEncoder, Params, SeparateEncoder, Victim
from trml.corpora import corpus_module, require_files
from trml.errors import WeightsMissing
from trml.source import source_digest
from trml.store import digest, file_digest, versions

DEFAULT = "default"
# The encoders that the workflow trains, by kind: the module that does it and the packages it needs beside torch.
_PRETRAINERS = {
    "tiny_clip": ("trml.encoders.pretrain", ("open_clip_torch",)),
    "tiny_separate": ("trml.encoders.pretrain_separate", ("transformers", "tokenizers", "pillow")),
}


def sweep_name(option: str, value: float) -> str:
    """The variant that moves one option to a value; `float` reads the value back exactly."""
    return f"{option}={float(value)!r}"


@dataclass(frozen=True)
class Cell:
    """One training. `victim` is None where nothing is missing in training and the method does not care which
    modality may be. `variant` is `default`, a named variant, or `option=value` of a sweep. The dev split has a missing
    rate of its own where the protocol says so."""

    method: str
    variant: str
    target: str
    options: dict[str, Any]
    victim: str | None
    rate: float
    seed: int
    digest: str
    of_dev: float | None = None

    @property
    def dev_rate(self) -> float:
        """The missing rate of the dev split."""
        return self.rate if self.of_dev is None else self.of_dev

    @property
    def name(self) -> str:
        """The cell's folder inside the cell store."""
        missing = f"{self.victim or 'none'}-{self.rate:g}"
        return f"{self.method}/{self.variant}-{missing}-{self.seed}-{self.digest}"


@dataclass(frozen=True)
class Block:
    """The cells that one process trains; `path` is the file that says they are done."""

    name: str
    path: Path
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Plan:
    """All folders of one experiment on one dataset, below `work`. `dataset` names it where there are several."""

    params: Params
    work: Path = Path("work")
    dataset: str | None = None

    @property
    def name(self) -> str:
        """Where the results are published, below results/."""
        return self.params.name if self.dataset is None else f"{self.params.name}/{self.dataset}"

    @cached_property
    def corpus(self) -> Path:
        config = self.params.corpus
        files = corpus_module(config.kind).raw_files(config, Path(self.params.data))
        require_files(self.params.name, files)
        recipe = {
            "config": asdict(config),
            "files": [file_digest(path) for path in files],
            "source": source_digest(f"trml.corpora.{config.kind}"),
            "versions": versions("av", "pillow", "numpy"),
        }
        return self.work / "corpora" / f"{config.name}-{digest(recipe)}"

    @cached_property
    def encoder(self) -> Path | None:
        """The folder of the encoder that the workflow trains, None where it trains none."""
        config = self.params.encoder
        if config.kind not in _PRETRAINERS:
            return None
        module, packages = _PRETRAINERS[config.kind]
        recipe = {
            "config": {k: v for k, v in asdict(config).items() if k not in ("frames", "batch_size")},
            "seed": self.params.seed,
            "corpus": self.corpus.name,
            "source": source_digest(module),
            "versions": versions("torch", "numpy", *packages),
        }
        return self.work / "encoders" / f"{config.name}-{digest(recipe)}"

    @cached_property
    def features(self) -> Path:
        config = self.params.encoder
        recipe = {
            "config": asdict(config),
            "weights": [file_digest(path) for path in _weights_at_hand(config)],
            "corpus": self.corpus.name,
            "encoder": self.encoder.name if self.encoder else None,
            "source": source_digest("trml.encoders.encode"),
            "versions": versions("torch", "open_clip_torch", "transformers", "tokenizers", "av", "pillow", "numpy"),
        }
        return self.work / "features" / f"{self.params.corpus.name}-{config.name}-{digest(recipe)}"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every training of the experiment, once each, in a fixed order."""
        found: dict[str, Cell] = {}
        for method in self.params.methods:
            for seed, (victim, rate, variant) in product(self.params.protocol.seeds, self._trainings(method)):
                cell = self.cell(method, variant, victim, rate, seed)
                found.setdefault(cell.digest, cell)
        return tuple(found.values())

    @property
    def cell_store(self) -> Path:
        """The folder of all cells of this corpus and encoder."""
        return self.work / "cells" / self.params.corpus.name / self.params.encoder.name

    def cell_folder(self, cell: Cell) -> Path:
        """Where a cell is kept."""
        return self.cell_store / cell.name

    def _trainings(self, method: str) -> list[tuple[Victim, float, str]]:
        """(victim, rate, variant): the default at every rate, everything else at the study rate."""
        config, protocol = self.params.methods[method], self.params.protocol
        plain = [(v, r, DEFAULT) for v in protocol.victims for r in protocol.rates]
        studied = [
            *config.variants,
            *(
                sweep_name(k, value)
                for k, values in config.sweeps.items()
                for value in values
                if value != config.options.get(k)
            ),
        ]
        return plain + [(v, protocol.study_rate, variant) for v in protocol.victims for variant in studied]

    def cell(self, method: str, variant: str, victim: str, rate: float, seed: int) -> Cell:
        """The cell that stands for this training, whichever others it stands for too."""
        config = self.params.methods[method]
        rate = rate if "rate" in config.depends_on else 0.0
        kept = victim if "victim" in config.depends_on or rate > 0 else None
        options = {**config.options, **self._moved(method, variant)}
        recipe = {
            "target": config.target,
            "options": options,
            "victim": kept,
            "rate": rate,
            "seed": seed,
            "experiment_seed": self.params.seed,
            "training": self._training,
            "corpus": self.params.corpus.name,
            "features": self.features.name,
            "source": self._method_source(config.target),
            "versions": versions("torch", "numpy"),
            "mkl": os.environ.get("MKL_CBWR"),  # moves the last bits (trml/__init__.py)
        }
        return Cell(method, variant, config.target, options, kept, rate, seed, digest(recipe))

    @cached_property
    def _training(self) -> dict[str, Any]:
        """What of the training part moves a number: neither how cells are put together nor what methods take over."""
        return {k: v for k, v in asdict(self.params.training).items() if k not in ("block", "chunk", "hidden")}

    def _moved(self, method: str, variant: str) -> dict[str, Any]:
        config = self.params.methods[method]
        if variant in config.variants:
            return config.variants[variant].options
        option, _, value = variant.partition("=")
        return {option: float(value)} if value else {}

    def _method_source(self, target: str) -> str:
        if target not in self._sources:
            self._sources[target] = source_digest(target.rpartition(".")[0], "trml.training.grid")
        return self._sources[target]

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {}

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The blocks by name: the cells of each method, in pieces of about the configured size."""
        blocks = {}
        for method in self.params.methods:
            cells = [cell for cell in self.cells if cell.method == method]
            pieces = ceil(len(cells) / self.params.training.block)
            for i in range(pieces):
                part = tuple(cells[i * len(cells) // pieces : (i + 1) * len(cells) // pieces])
                name = f"{method}-{digest([cell.name for cell in part])}"
                blocks[name] = Block(name, self.work / "blocks" / f"{name}.json", part)
        return blocks

    def unfinished(self, block: Block) -> Path:
        """Where the chunks of a block are saved while they are in training."""
        return self.work / "unfinished" / block.name

    @property
    def folders(self) -> list[tuple[Path, str]]:
        """Every folder that is written once and never changed, and the file that a finished one has."""
        found = [
            (self.corpus, "corpus.json"),
            (self.features, "features.json"),
            (self.evaluation, "claims.json"),
            (self.results, "manifest.json"),
            *((self.cell_folder(cell), "cell.json") for cell in self.cells),
        ]
        return found if self.encoder is None else [*found, (self.encoder, "encoder.json")]

    @cached_property
    def evaluation(self) -> Path:
        """Scores, intervals and claims."""
        recipe = {
            "cells": [cell.name for cell in self.cells],
            "methods": {name: asdict(method) for name, method in self.params.methods.items()},
            "protocol": asdict(self.params.protocol),
            "resamples": self.params.report.resamples,
            "source": source_digest("trml.evaluation.evaluate"),
            "versions": versions("polars", "numpy"),
        }
        return self.work / "evaluations" / f"{self._flat_name}-{digest(recipe)}"

    @cached_property
    def results(self) -> Path:
        """Tables, figures and the page, before they are published."""
        recipe = {
            "evaluation": self.evaluation.name,
            "name": self.name,
            "params": {k: v for k, v in asdict(self.params).items() if k not in ("data", "device", "also")},
            "source": source_digest("trml.report.build"),
            "template": file_digest(Path(__file__).parent / "report" / "page" / "index.html.j2"),
            "versions": versions("matplotlib", "polars", "numpy"),
        }
        return self.work / "results" / f"{self._flat_name}-{digest(recipe)}"

    @property
    def _flat_name(self) -> str:
        return self.name.replace("/", "-")


def plans(params: Params, work: Path = Path("work")) -> list[Plan]:
    """The plans of an experiment, one a dataset. The results of several are published side by side."""
    return [Plan(each, work, name if params.also else None) for name, each in params.each().items()]


def _weights_at_hand(config: Encoder) -> list[Path]:
    """The files of weights that a user brought. What a hub or a tag names is known by its name."""
    if isinstance(config, SeparateEncoder):
        folders = [Path(source) for source in (config.text, config.vision)]
        return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    if not isinstance(config, OpenClipEncoder) or config.checkpoint is None:
        return []
    path = Path(config.checkpoint)
    if not path.is_file():
        raise WeightsMissing(
            f"encoder {config.name}: checkpoint {path} is not a file; expected weights of {config.model} "
            "(.safetensors or .pt). Bring it there or set encoder.checkpoint=<file>"
        )
    return [path]
