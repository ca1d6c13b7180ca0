"""From a configuration to every folder of work/: a pure function, without torch, cheap enough for a dry run.

A folder's name ends in the digest of its recipe (store.py), so the plan is also the test of what is up to date:
what is there under its name is valid, what is not there is to be made.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from trml.base.checksums import known_digests
from trml.base.digests import digest, file_digest, versions
from trml.base.errors import WeightsMissing
from trml.config.params import Params
from trml.corpora.registry import corpus_module, require_files
from trml.features.encoders.open_clip.config import OpenClipEncoder
from trml.features.encoders.registry import Encoder
from trml.features.encoders.separate.config import SeparateEncoder
from trml.features.encoders.transformers_clip.config import TransformersClipEncoder
from trml.methods.config import DEFAULT, grid_name, grid_points, sweep_name
from trml.planning.source_digest import source_digest
from trml.seeding import generator
from trml.sources.fetching.config import FetchedCorpus
from trml.sources.fetching.fetch import missing

_REPORT_FILES = ("page/index.html.j2", "published.csv")

TRIALS = 8  # of the search on dev, the same number for every method

SEARCH_SEEDS = (1001, 1002)  # of its masks and trainings

_NOT_IN_RESULTS = ("data", "device", "also", "accept_terms")  # keys of the configuration that change none

_HDF5 = ("arrays", "cmu_mosi", "cmu_mosei")  # the kinds of corpora that are read from HDF5 files

# The encoders that the workflow trains, by kind: the module that does it and the packages it needs beside torch.
_PRETRAINED = {
    "tiny_clip": ("trml.features.encoders.tiny_clip.pretrain", ("open_clip_torch",)),
    "tiny_separate": ("trml.features.encoders.tiny_separate.pretrain", ("transformers", "tokenizers", "pillow")),
}


class Training(NamedTuple):
    """What is missing when a method's variant is trained: in the training split at `rate`, in dev at `dev_rate`."""

    variant: str
    victim: str
    rate: float
    dev_rate: float


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
    of_dev: float | None = None  # the missing rate of dev, where it is not that of training

    @property
    def dev_rate(self) -> float:
        """The missing rate of the dev split."""
        return self.rate if self.of_dev is None else self.of_dev

    @property
    def name(self) -> str:
        """The cell's folder inside the cell store."""
        missing = f"{self.victim or 'none'}-{self.rate:g}"
        missing += "" if self.of_dev is None else f"-dev-{self.of_dev:g}"
        return f"{self.method}/{self.variant}-{missing}-{self.seed}-{self.digest}"


@dataclass(frozen=True)
class Block:
    """The cells that one process trains; `path` is the file that says they are done."""

    name: str
    path: Path
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Plan:
    """All folders of one experiment on one dataset, below `work`.

    The plan of the experiment's own dataset has `others`, those of its further datasets (each with its name and what it
    is there for), and the results of all of them.
    """

    params: Params
    work: Path = Path("work")
    dataset: str | None = None
    study: str = "own"
    others: tuple["Plan", ...] = ()

    @property
    def name(self) -> str:
        """The experiment, and its dataset where that is not its own."""
        return self.params.name if self.dataset is None else f"{self.params.name}-{self.dataset}"

    @cached_property
    def unfetched(self) -> bool:
        """Whether raw files must be fetched before the corpus can be made. What is made of them has no name of its own
        until they are there."""
        config = self.params.corpus
        return isinstance(config, FetchedCorpus) and bool(missing(config, Path(self.params.data)))

    @cached_property
    def raw_files(self) -> list[Path]:
        """What the corpus is made from. Raises DataMissing where it is not there."""
        config = self.params.corpus
        files = corpus_module(config.kind).raw_files(config, Path(self.params.data))
        require_files(self.params.name, files)
        return files

    def _named_digests(self, files: Sequence[Path]) -> list[tuple[str, str]]:
        """The files' names below data, or their own where they lie elsewhere, and their checksums."""
        data = Path(self.params.data)
        names = [str(path.relative_to(data)) if path.is_relative_to(data) else path.name for path in files]
        return list(zip(names, self._digests(files), strict=True))

    def _digests(self, files: Sequence[Path]) -> list[str]:
        return known_digests(files, self.work / "digests.json")

    @cached_property
    def corpus(self) -> Path:
        config = self.params.corpus
        recipe = {
            "config": {k: v for k, v in asdict(config).items() if k not in ("sources", "terms")},
            "files": "to be fetched" if self.unfetched else self._named_digests(self.raw_files),
            "source": source_digest(corpus_module(config.kind).__name__),
            "versions": versions("av", "pillow", "numpy", *(("h5py",) if config.kind in _HDF5 else ())),
        }
        return self.work / "corpora" / f"{config.name}-{digest(recipe)}"

    @cached_property
    def encoder(self) -> Path | None:
        """The folder of the encoder that the workflow trains, None where it trains none."""
        config = self.params.encoder
        if config.kind not in _PRETRAINED:
            return None
        module, packages = _PRETRAINED[config.kind]
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
            "weights": self._digests(_weights_at_hand(config)),
            "corpus": self.corpus.name,
            "encoder": self.encoder.name if self.encoder else None,
            "source": source_digest("trml.features.encode", "trml.features.gather", "trml.features.given"),
            "versions": versions("torch", "open_clip_torch", "transformers", "tokenizers", "av", "pillow", "numpy"),
        }
        return self.work / "features" / f"{self.params.corpus.name}-{config.name}-{digest(recipe)}"

    @property
    def chunks(self) -> Path:
        """Where the shards of an encoding leave what they have made, until it is gathered."""
        return self.work / "chunks" / self.features.name

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every training of the experiment, once each, in a fixed order."""
        found: dict[str, Cell] = {}
        for method in self.params.methods:
            for seed, training in product(self.params.protocol.seeds, self.trainings(method)):
                cell = self.cell(method, *training, seed)
                found.setdefault(cell.digest, cell)
        return tuple(found.values())

    @cached_property
    def trials(self) -> dict[str, dict[str, dict[str, float]]]:
        """The trials of the search on dev, method -> trial -> options: TRIALS of each method, in a Latin hypercube over
        the values of its `search`, so that each value is tried about as often as the others."""
        found = {}
        for method, config in self.params.methods.items():
            rng = generator(self.params.seed, "search", method)
            columns = {
                option: [values[i * len(values) // TRIALS] for i in rng.permutation(TRIALS)]
                for option, values in config.search.items()
            }
            found[method] = {
                f"trial-{i}": {option: values[i] for option, values in columns.items()} for i in range(TRIALS)
            }
        return found

    @cached_property
    def trial_cells(self) -> dict[str, dict[str, list[Cell]]]:
        """The trainings of the search, method -> trial: at the study rate, with seeds that nothing else uses. Trials
        that drew the same values are one training."""
        protocol = self.params.protocol
        found: dict[str, Cell] = {}

        def once(*training: Any) -> Cell:
            cell = self.cell(*training)
            return found.setdefault(cell.digest, cell)

        return {
            method: {
                trial: [
                    once(method, trial, victim, protocol.study_rate, protocol.study_rate, seed)
                    for victim, seed in product(protocol.modalities, SEARCH_SEEDS)
                ]
                for trial in trials
            }
            for method, trials in self.trials.items()
            if self.params.methods[method].search
        }

    @property
    def cell_store(self) -> Path:
        """The folder of all cells of this corpus and encoder."""
        return self.work / "cells" / self.params.corpus.name / self.params.encoder.name

    def cell_folder(self, cell: Cell) -> Path:
        """Where a cell is kept."""
        return self.cell_store / cell.name

    def runs(self, method: str, victim: str) -> bool:
        """Whether a method can be run with the victim: one that is shaped by which modality may be missing cannot where
        either may be."""
        return not (victim == "either" and "victim" in self.params.methods[method].depends_on)

    def variants(self, method: str) -> list[str]:
        """The named variants of a method, then those of its sweeps and grids."""
        config = self.params.methods[method]
        swept = [sweep_name(option, value) for option, values in config.sweeps.items() for value in values]
        gridded = [grid_name(point) for grid in config.grids for point in grid_points(grid)]
        return [*config.variants, *swept, *gridded]

    def trainings(self, method: str) -> list[Training]:
        """The default at every rate and in Setting A, everything else at the study rate."""
        protocol = self.params.protocol
        plain = [
            Training(DEFAULT, victim, rate, rate)
            for victim in protocol.victims
            if self.runs(method, victim)
            for rate in protocol.rates_of(victim)
        ]
        setting_a = [
            Training(DEFAULT, victim, rate, 1.0) for victim in protocol.modalities for rate in protocol.setting_rates
        ]
        rate = protocol.study_rate
        studied = [
            Training(variant, victim, rate, rate) for victim in protocol.modalities for variant in self.variants(method)
        ]
        return plain + setting_a + studied

    def cell(self, method: str, variant: str, victim: str, rate: float, dev_rate: float, seed: int) -> Cell:
        """The cell that stands for this training, whichever others it stands for too."""
        config = self.params.methods[method]
        if "rate" not in config.depends_on:
            rate = dev_rate = 0.0
        if victim == "frames" and rate == dev_rate == 1.0:
            victim = "vision"  # no frame is left of any clip
        kept = victim if "victim" in config.depends_on or rate > 0 or dev_rate > 0 else None
        of_dev = None if dev_rate == rate else dev_rate
        options = {**config.options, **self._moved(method, variant)}
        recipe = {
            "target": config.target,
            "options": options,
            "victim": kept,
            "rate": rate,
            "dev_rate": dev_rate,
            "seed": seed,
            "experiment_seed": self.params.seed,
            "training": self._training,
            "corpus": self.params.corpus.name,
            "features": self.features.name,
            "source": self._method_source(config.target),
            "versions": versions("torch", "numpy", "scikit-learn"),
            "mkl": os.environ.get("MKL_CBWR"),  # moves the last bits (trml/__init__.py)
        }
        return Cell(method, variant, config.target, options, kept, rate, seed, digest(recipe), of_dev)

    @cached_property
    def _training(self) -> dict[str, Any]:
        """What of the training part moves a number: neither how cells are put together nor what methods take over."""
        return {k: v for k, v in asdict(self.params.training).items() if k not in ("block", "chunk", "hidden")}

    def _moved(self, method: str, variant: str) -> dict[str, Any]:
        config = self.params.methods[method]
        if variant in config.variants:
            return config.variants[variant].options
        if variant in self.trials[method]:
            return dict(self.trials[method][variant])
        moves = (part.partition("=") for part in variant.split(","))
        return {option: float(value) for option, _, value in moves if value}

    def _method_source(self, target: str) -> str:
        if target not in self._sources:
            self._sources[target] = source_digest(target.rpartition(".")[0], "trml.training.trainer")
        return self._sources[target]

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {}

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The blocks by name: the cells of each method, in pieces of about the configured size."""
        return self._in_blocks({m: [cell for cell in self.cells if cell.method == m] for m in self.params.methods})

    @cached_property
    def search_blocks(self) -> dict[str, Block]:
        """The blocks of the search on dev."""
        return self._in_blocks(
            {
                method: [cell for cells in trials.values() for cell in cells]
                for method, trials in self.trial_cells.items()
            }
        )

    def _in_blocks(self, cells_of: Mapping[str, Sequence[Cell]]) -> dict[str, Block]:
        blocks = {}
        for method, every in cells_of.items():
            cells = list({cell.digest: cell for cell in every}.values())
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
            *([(self.analysis, "analysis.json"), (self.results, "manifest.json")] if self.dataset is None else []),
            *((self.cell_folder(cell), "cell.json") for cell in self.cells),
        ]
        return found if self.encoder is None else [*found, (self.encoder, "encoder.json")]

    @cached_property
    def evaluation(self) -> Path:
        """Scores, intervals and claims."""
        recipe = {
            "cells": [cell.name for cell in self.cells],
            "others": [(plan.study, [cell.name for cell in plan.cells]) for plan in self.others],
            "analysis": self.analysis.name if self.dataset is None else None,
            "methods": {name: asdict(method) for name, method in self.params.methods.items()},
            "protocol": asdict(self.params.protocol),
            "resamples": self.params.report.resamples,
            "source": source_digest("trml.evaluation.evaluate"),
            "versions": versions("polars", "numpy"),
        }
        return self.work / "evaluations" / f"{self.name}-{digest(recipe)}"

    @property
    def proposed(self) -> str | None:
        """The method that the claims judge."""
        return next((name for name, method in self.params.methods.items() if method.role == "proposed"), None)

    @cached_property
    def analysed_cells(self) -> dict[tuple[str, str, int], Cell]:
        """By method, victim and seed: the defaults, trained at the study rate with a whole modality as the victim."""
        protocol, rate = self.params.protocol, self.params.protocol.study_rate
        return {
            (method, victim, seed): self.cell(method, DEFAULT, victim, rate, rate, seed)
            for method, victim, seed in product(self.params.methods, protocol.modalities, protocol.seeds)
        }

    @cached_property
    def analysis(self) -> Path:
        """What the virtual modalities of the proposed method are worth, and examples."""
        recipe = {
            "cells": [[*key, cell.digest] for key, cell in self.analysed_cells.items()],
            "proposed": self.proposed,
            "source": source_digest("trml.evaluation.probing.probe"),
            "versions": versions("torch", "scikit-learn", "polars", "numpy", "av", "pillow"),
        }
        return self.work / "analyses" / f"{self.name}-{digest(recipe)}"

    @cached_property
    def results(self) -> Path:
        """Tables, figures and the page, before they are published."""
        recipe = {
            "evaluations": [plan.evaluation.name for plan in (self, *self.others)],
            "analysis": self.analysis.name,
            "name": self.name,
            "params": {k: v for k, v in asdict(self.params).items() if k not in _NOT_IN_RESULTS},
            "source": source_digest("trml.report.build"),
            "files": [file_digest(Path(__file__).parent.parent / "report" / name) for name in _REPORT_FILES],
            "versions": versions("matplotlib", "polars", "numpy"),
        }
        return self.work / "results" / f"{self.name}-{digest(recipe)}"


def plans(params: Params, work: Path = Path("work")) -> list[Plan]:
    """The plans of an experiment, one a dataset, its own first."""
    own, *further = params.each().items()
    others = tuple(Plan(each, work, name, params.also[name].study) for name, each in further)
    return [Plan(own[1], work, others=others), *others]


def searched(plans: Sequence[Plan]) -> list[Plan]:
    """Those with a search on dev of their own. The laboratory's datasets differ from the experiment's own in their
    labels alone, and are run with its values."""
    return [plan for plan in plans if plan.study != "redundancy"]


def _weights_at_hand(config: Encoder) -> list[Path]:
    """The files of weights that a user brought. What a hub or a tag names is known by its name."""
    sources: list[str] = []
    if isinstance(config, SeparateEncoder):
        sources = [config.text, config.vision]
    elif isinstance(config, TransformersClipEncoder):
        sources = [config.model]
    if sources:
        folders = [Path(source) for source in sources]
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
