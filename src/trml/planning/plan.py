"""The folders of a dataset: a pure function of the configuration, cheap enough for a dry run.

A folder's name ends in the digest of its recipe (recipes.py), so the plan is also the test of what is up to date: a
folder that exists under its name is valid, and one that does not is made.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from trml.base.checkout import config_folder
from trml.base.checksums import known_digests
from trml.base.commands import remake_published
from trml.base.digests import digest
from trml.config.params import Chosen, Params
from trml.corpora.registry import require_files
from trml.evaluation.contract import Purpose, Study
from trml.methods.config import DEFAULT
from trml.planning import recipes
from trml.planning.bibliography import origin_of
from trml.planning.blocks import Block, in_blocks
from trml.planning.compute import Compute, resolve_device
from trml.planning.grid import expand
from trml.planning.naming import Naming, naming
from trml.planning.study import is_kept, settings_of, study_of, submitted_to
from trml.planning.trials import trial_options, trial_specs
from trml.sources.fetching.config import FetchedCorpus
from trml.training.contract import Cell, CellSpec, Training, Trial


@dataclass(frozen=True)
class Plan:
    """All folders of one experiment on one dataset.

    Attributes:
        params: The configuration of the dataset.
        compute: What torch computes on.
        work: The folder of all of them.
        dataset: Name of a further dataset, None for the experiment's own.
        purpose: What the dataset is there for.
        others: The plans of the further datasets, for the experiment's own alone.
        known: Cells by digest, shared by the plans of a corpus and encoder: one training of two protocols is one cell.
        named: What the experiment is published under.
    """

    params: Params
    compute: Compute
    named: Naming
    work: Path = Path("work")
    dataset: str | None = None
    purpose: Purpose = "own"
    others: tuple["Plan", ...] = ()
    known: dict[str, Cell] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The experiment's name, with the dataset's if it is a further one."""
        return self.params.name if self.dataset is None else f"{self.params.name}-{self.dataset}"

    @property
    def moves_protocol(self) -> bool:
        """Whether it has the corpus and encoder of the experiment's own dataset, and only another protocol."""
        return self.purpose in ("regime", "axis")

    # --- raw files and the corpus ---

    @cached_property
    def unfetched(self) -> bool:
        """Whether raw files must be fetched first. Until then what is made of them has a provisional name."""
        config = self.params.corpus
        return isinstance(config, FetchedCorpus) and config.unfetched(Path(self.params.data))

    @cached_property
    def raw_files(self) -> list[Path]:
        """The raw files of the corpus. Raises DataMissing if one is absent."""
        files = self.params.corpus.raw_files(Path(self.params.data))
        require_files(self.params.corpus, files)
        return files

    @cached_property
    def corpus(self) -> Path:
        """Utterances, media, pretraining pairs, ceiling."""
        config = self.params.corpus
        files = "to be fetched" if self.unfetched else self._named_digests(self.raw_files)
        return self.work / "corpora" / f"{config.name}-{digest(recipes.corpus(config, files))}"

    def _named_digests(self, files: Sequence[Path]) -> list[tuple[str, str]]:
        """Return names below the data folder, or bare names of files elsewhere, with checksums."""
        data = Path(self.params.data)
        names = [str(path.relative_to(data)) if path.is_relative_to(data) else path.name for path in files]
        return list(zip(names, self._digests(files), strict=True))

    def _digests(self, files: Sequence[Path]) -> list[str]:
        return known_digests(files, self.work / "digests.json")

    # --- features ---

    @property
    def is_given(self) -> bool:
        """Whether the corpus brings its features, so that nothing is encoded."""
        return self.params.corpus.brings == "features"

    @cached_property
    def encoder(self) -> Path | None:
        """The encoder that the workflow trains, None if it trains none."""
        config = self.params.encoder
        if not config.pretrained:
            return None
        recipe = recipes.encoder(config, self.params.seed, self.corpus.name, self.compute)
        return self.work / "encoders" / f"{config.name}-{digest(recipe)}"

    @cached_property
    def features(self) -> Path:
        """One array and one mask a modality."""
        config, corpus = self.params.encoder, self.corpus.name
        if self.is_given:
            recipe = recipes.given_features(config, corpus)
        else:
            weights, encoder = self._digests(config.weights_files()), self.encoder.name if self.encoder else None
            recipe = recipes.features(config, weights, corpus, encoder, self.compute)
        return self.work / "features" / f"{self.params.corpus.name}-{config.name}-{digest(recipe)}"

    @property
    def chunks(self) -> Path:
        """What the shards of an encoding have made, until it is gathered."""
        return self.work / "chunks" / self.features.name

    # --- cells ---

    @cached_property
    def cell_store(self) -> Path:
        """The store of the cells of this corpus and encoder (training/store.py)."""
        return self.work / "cells" / self.params.corpus.name / self.params.encoder.name

    @cached_property
    def _cell_digest(self) -> recipes.CellDigests:
        return recipes.CellDigests(settings_of(self.params), self.features.name, self.compute, self.params.modalities)

    def cell(self, spec: CellSpec) -> Cell:
        """Return a cell with its digest and its store."""
        return Cell(spec, self._cell_digest(spec), self.cell_store)

    @cached_property
    def trainings(self) -> dict[Training, Cell]:
        """Every training of the experiment with the cell that stands for it: the first of those that are the same."""
        return {
            training: self.known.setdefault(cell.digest, cell)
            for training, cell in ((training, self.cell(spec)) for training, spec in expand(self.params))
        }

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell once, in a fixed order."""
        return tuple({cell.digest: cell for cell in self.trainings.values()}.values())

    @cached_property
    def also(self) -> tuple[Cell, ...]:
        """The further cells of other protocols, which the blocks of the own dataset train too: in larger stacks."""
        further = [cell for plan in self.others if plan.moves_protocol for cell in plan.cells]
        own = {cell.digest for cell in self.cells} if further else set()
        return tuple({cell.digest: cell for cell in further if cell.digest not in own}.values())

    @cached_property
    def trials(self) -> dict[str, dict[str, Trial]]:
        """The search on dev: method -> trial. Trials that drew the same values share their cells."""
        by_digest: dict[str, Cell] = {}
        options = trial_options(self.params)
        return {
            method: {
                trial: Trial(
                    options[method][trial],
                    [by_digest.setdefault(cell.digest, cell) for cell in map(self.cell, specs)],
                )
                for trial, specs in trials.items()
            }
            for method, trials in trial_specs(self.params).items()
        }

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The blocks of the dataset, by name; another protocol has none: those of the own dataset train its cells."""
        cells = () if self.moves_protocol else (*self.cells, *self.also)
        return self._in_blocks({m: [cell for cell in cells if cell.spec.method == m] for m in self.params.methods})

    @cached_property
    def search_blocks(self) -> dict[str, Block]:
        """The blocks of the search on dev, by name."""
        return self._in_blocks(
            {m: [cell for trial in trials.values() for cell in trial.cells] for m, trials in self.trials.items()}
        )

    def _in_blocks(self, cells_of: dict[str, list[Cell]]) -> dict[str, Block]:
        return in_blocks(cells_of, self.params.training.block, self.work / "blocks")

    def unfinished(self, block: Block) -> Path:
        """Return where stacks of a block are saved while they are in training."""
        return self.work / "unfinished" / block.name

    # --- scores and results ---

    @cached_property
    def study(self) -> Study:
        """What is compared on the dataset."""
        submitted = submitted_to(self.named.submissions) if self.dataset is None else []
        return study_of(self.params, self.name, self.dataset, self.purpose, submitted)

    @property
    def probed_cells(self) -> dict[tuple[str, str, int], Cell]:
        """The defaults that were trained at the study rate with one modality missing: by method, victim, seed."""
        study = self.study
        return {
            (method, victim, seed): self.trainings[
                Training(method, DEFAULT, victim, study.study_training_rate, study.study_training_rate, seed)
            ]
            for method, victim, seed in product(study.by_name, study.single_victims, study.seeds)
        }

    @property
    def _analysed(self) -> list[Cell] | None:
        """The defaults that were trained on complete data, if they are analysed further."""
        if not self.params.analyses:
            return None
        return [cell for t, cell in self.trainings.items() if t.variant == DEFAULT and t.rate == t.dev_rate == 0.0]

    @cached_property
    def restored(self) -> frozenset[str]:
        """The digests of the cells whose weights are read later: by the probes, by `trml predict` and for DVC."""
        kept = [cell for training, cell in self.trainings.items() if is_kept(self.study, training)]
        return frozenset(c.digest for c in (*kept, *self.probed_cells.values(), *(self._analysed or ())) if self.probes)

    @cached_property
    def probes(self) -> Path | None:
        """What virtual modalities are worth, further analyses, cost and examples; None for a further dataset."""
        if self.dataset is not None:
            return None
        recipe = recipes.probes(self.study, self.probed_cells, self._analysed, self.compute)
        return self.work / "probes" / f"{self.name}-{digest(recipe)}"

    @cached_property
    def references(self) -> Path:
        """What the reference models predict."""
        recipe = recipes.references(self.study, self.features.name)
        return self.work / "references" / f"{self.params.corpus.name}-{digest(recipe)}"

    @cached_property
    def evaluation(self) -> Path:
        """Scores, intervals and claims."""
        recipe = recipes.evaluation(
            self.study,
            self.trainings,
            self.references.name,
            self.probes.name if self.probes else None,
            [(other.study, other.trainings, other.references.name) for other in self.others],
        )
        return self.work / "evaluations" / f"{self.name}-{digest(recipe)}"

    @cached_property
    def results(self) -> Path | None:
        """Tables, figures and the page, before they are published; None for a further dataset."""
        if self.dataset is not None:
            return None
        recipe = recipes.results([plan.reported() for plan in (self, *self.others)])
        return self.work / "results" / f"{self.named.published}-{digest(recipe)}"

    @property
    def chosen(self) -> dict[str, Chosen]:
        """What the search on dev chose, of the methods that are run."""
        return {name: chosen for name, chosen in self.params.chosen.items() if name in self.params.methods}

    def reported(self) -> dict[str, Any]:
        """Return what the report says of the dataset, as plain values (handover.report_inputs)."""
        return {
            "study": asdict(self.study),
            "evaluation": self.evaluation.name,
            "probes": self.probes.name if self.probes else None,
            "encoder": self.encoder.name if self.encoder else None,
            "references": self.references.name,
            "settings": asdict(settings_of(self.params)),
            "searched": {name: asdict(chosen) for name, chosen in self.chosen.items()},
            "published_as": self.params.corpus.published_as,
            "command": self.command,
            "name": self.named.published,
            "experiment": self.named.experiment,
            "moved": self.named.moved,
            "made_from": self.made_from,
            "forms": self.params.report.forms,
            "origin": asdict(origin_of(self.params.corpus)),
        }

    @property
    def command(self) -> str:
        """The command that makes the results again: where config/ has no such experiment, from what is published."""
        if self.named.experiment is None or self.named.moved:
            return remake_published(self.named.published)
        return self.params.corpus.command(self.named.experiment)

    @property
    def made_from(self) -> dict[str, Any]:
        """What manifest.json says that the results were made from."""
        upstream = {"corpus": self.corpus, "encoder": self.encoder, "features": self.features, "probes": self.probes}
        names = {key: folder.name if folder else None for key, folder in upstream.items()}
        return {**names, "cells": len(self.cells), "blocks": list(self.blocks)}

    @property
    def folders(self) -> list[tuple[Path, str]]:
        """Every folder but shards that is written once and never changed, with the file that a finished one has."""
        stages = [
            (self.corpus, "corpus.json"),
            (self.features, "features.json"),
            (self.references, "references.parquet"),
            (self.evaluation, "claims.json"),
            (self.probes, "probes.json"),
            (self.results, "manifest.json"),
            (self.encoder, "encoder.json"),
        ]
        return [(folder, finished) for folder, finished in stages if folder is not None]


def plans(params: Params, work: Path = Path("work"), config: Path = Path("config")) -> list[Plan]:
    """Return the plans of an experiment, one a dataset, its own first.

    Args:
        params: The configuration.
        work: The folder of artifacts.
        config: The folder of configurations, which the name of the results depends on (naming.py).
    """
    compute = Compute(resolve_device(params.device), params.threads, params.portable)
    named = naming(params, compute.device, config_folder(config), work)
    params = replace(params, name=named.base)  # what is evaluated does not depend on what the report shows of it
    own, *further = params.by_dataset().items()
    known: dict[str, Cell] = {}
    others = [Plan(each, compute, named, work, name, params.datasets[name].purpose) for name, each in further]
    others = [replace(plan, known=known) if plan.moves_protocol else plan for plan in others]
    every = [Plan(own[1], compute, named, work, others=tuple(others), known=known), *others]
    if any(plan.moves_protocol for plan in others):
        # In this order: a cell has the name of the first plan that asks for it.
        for plan in (plan for plan in every if plan.known is known):
            plan.trainings  # noqa: B018
    return every


def searched(plans: Sequence[Plan]) -> list[Plan]:
    """Return the plans with a search on dev of their own.

    Those that differ from the experiment's own in labels, protocol or a rotation alone use its values.
    """
    return [plan for plan in plans if not plan.moves_protocol and plan.purpose not in ("redundancy", "rotation")]
