"""The whole configuration of an experiment: methods, protocol, training, report, and the datasets it is run on."""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Seed, Threads, require, strict
from trml.config.method_options import check_options, modality_limit
from trml.corpora.registry import Corpus
from trml.features.encoders.registry import Encoder
from trml.methods.config import MethodConfig
from trml.missing.modalities import in_order
from trml.missing.protocol import Protocol
from trml.report.config import Report
from trml.training.config import Training


@dataclass(config=strict)
class Chosen:
    """What the search on dev chose for a method on a corpus through an encoder.

    Attributes:
        trials: How many were run.
        dev_loss: Of the chosen trial.
        median_dev_loss: Of the median trial.
        options: The chosen values. The configurations of methods read them from here.
        as_good: How many trials are as good as the chosen one, itself among them: the 95 % interval of the difference
            of their dev losses, over trainings, reaches down to zero. None if it is not known.
    """

    trials: Count
    dev_loss: float
    median_dev_loss: float
    options: dict[str, Any]
    as_good: Count | None = None


@dataclass(config=strict)
class Dataset:
    """A further dataset of an experiment: a corpus through an encoder.

    Attributes:
        corpus: The corpus, None for the experiment's own.
        encoder: The encoder, None for the experiment's own.
        purpose: `corpus`: the same experiment on another corpus. `regime`: the experiment's own corpus and encoder
            under another protocol, with tables and claims of its own. `axis`: the same, as one point of an axis.
            `rotation`: its own corpus through the same encoder, each modality's space turned. `alignment`: through
            encoders that were trained apart. `redundancy`: pantomime with other weights, to measure what of a missing
            modality can be recovered.
        protocol: Its missing protocol, None for the experiment's own.
        methods: The methods that are run on it, None for all.
        studies: Whether variants, sweeps and grids are run too; or the names of those that are.
        chosen: What a search on its own dev split chose. If empty, methods keep the experiment's options.
    """

    corpus: Corpus | None = None
    encoder: Encoder | None = None
    purpose: Literal["corpus", "regime", "axis", "rotation", "alignment", "redundancy"] = "corpus"
    protocol: Protocol | None = None
    methods: list[Name] | None = None
    studies: bool | list[str] = True
    chosen: dict[Name, Chosen] = field(default_factory=dict)


@dataclass(config=strict)
class Params:
    """The configuration of one experiment: params.yaml.

    Attributes:
        name: The experiment's name.
        seed: Of initial weights and batch orders.
        data: The folder of the corpora that a user provides.
        device: Where torch computes; `auto` is CUDA if the machine has it.
        threads: Of each process that computes with torch. Device and threads move the last bits of a number, so they
            are part of the recipes.
        portable: Whether torch keeps to AVX2 whatever the processor has (docs/reproduce.md).
        corpus: The corpus of the experiment's own dataset.
        encoder: The encoder of the experiment's own dataset.
        methods: By name.
        protocol: What is missing.
        training: How methods are trained.
        report: What the results show.
        datasets: Further datasets that the experiment is run on.
        studies: Whether variants, sweeps and grids are run on its own dataset; or the names of those that are.
        analyses: Whether trained methods are also run on modalities that are wrong, and scored by other conventions.
        accept_terms: Names of corpus terms that the user accepts.
        chosen: What the search on dev chose on the experiment's own dataset.
    """

    name: Name
    seed: Seed
    data: str
    device: Literal["auto", "cpu", "cuda"]
    threads: Threads
    portable: bool
    corpus: Corpus
    encoder: Encoder
    methods: Annotated[dict[Name, MethodConfig], Field(min_length=1)]
    protocol: Protocol
    training: Training
    report: Report
    datasets: dict[Name, Dataset] = field(default_factory=dict)
    studies: bool | list[str] = True
    analyses: bool = False
    accept_terms: list[Name] = field(default_factory=list)
    chosen: dict[Name, Chosen] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities of the experiment's own dataset, in order: those of the corpus that the encoder encodes."""
        return _modalities(self.corpus, self.encoder)

    def by_dataset(self) -> dict[str, "Params"]:
        """Return the configuration of each dataset by name: first the own one, this, by its corpus's name."""
        return {self.corpus.name: self} | {name: self._on(dataset) for name, dataset in self.datasets.items()}

    def _on(self, dataset: Dataset) -> "Params":
        methods = {n: m for n, m in self.methods.items() if dataset.methods is None or n in dataset.methods}
        for name in methods.keys() & dataset.chosen.keys():
            options = methods[name].options | dataset.chosen[name].options
            methods[name] = replace(methods[name], options=options)
        studies = dataset.studies
        if isinstance(studies, list):
            studies = [study for study in studies if study in _studies_of(methods)]
        protocol = dataset.protocol or self.protocol
        report = replace(self.report, conditions=dataset.protocol.rates) if dataset.protocol else self.report
        return replace(
            self,
            corpus=dataset.corpus or self.corpus,
            encoder=dataset.encoder or self.encoder,
            protocol=protocol,
            methods=methods,
            report=report,
            datasets={},
            studies=studies,
            chosen=dataset.chosen or self.chosen,
        )

    @model_validator(mode="after")
    def _fits(self) -> "Params":
        own = self.corpus.name
        require(own not in self.datasets, f"datasets.{own} has the name of the experiment's own corpus")
        absent = set(self.report.conditions) - set(self.protocol.rates)
        require(not absent, f"report.conditions {sorted(absent)} are not among protocol.rates")
        labels = [method.label for method in self.methods.values()]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        require(twice is None, f"two methods have the label {twice!r}; expected one each")
        for name, method in self.methods.items():
            check_options(name, method)
        self._require_studies("", self.studies)
        self._require_dataset_fits("", self.corpus, self.encoder, self.protocol, list(self.methods))
        for name, dataset in self.datasets.items():
            place, methods = f"datasets.{name}.", dataset.methods or list(self.methods)
            unknown = sorted(set(methods) - set(self.methods))
            require(not unknown, f"{place}methods names {unknown}; known are {', '.join(self.methods)}")
            self._require_studies(place, dataset.studies)
            protocol = dataset.protocol or self.protocol
            corpus, encoder = dataset.corpus or self.corpus, dataset.encoder or self.encoder
            moved = dataset.corpus is not None or dataset.encoder is not None
            require(
                not (dataset.purpose in ("regime", "axis") and moved),
                f"{place}purpose is {dataset.purpose}, which is the experiment's own corpus and encoder; leave both "
                "out, or set purpose to corpus",
            )
            same = self.protocol.training == protocol.training == "matched"
            require(
                dataset.purpose != "axis" or same,
                f"{place}purpose is axis, whose points and the experiment's own protocol must have training matched",
            )
            turned = getattr(encoder, "rotated", False) and corpus == self.corpus
            require(
                dataset.purpose != "rotation" or turned,
                f"{place}purpose is rotation, which is the experiment's own corpus through an encoder that is rotated",
            )
            self._require_dataset_fits(place, corpus, encoder, protocol, methods)
        proposed = [name for name, method in self.methods.items() if method.role == "proposed"]
        require(
            len(proposed) <= 1, f"methods {proposed} have role proposed; the claims judge one: make the others baseline"
        )
        return self

    def _require_studies(self, place: str, studies: bool | list[str]) -> None:
        """Raise ValueError if a study is named that no method has. `place`: `datasets.x.` or ``."""
        known = _studies_of(self.methods)
        strange = sorted(set(studies) - known) if isinstance(studies, list) else []
        require(not strange, f"{place}studies names {strange}; known are {', '.join(sorted(known))}")

    def _require_dataset_fits(
        self, place: str, corpus: Corpus, encoder: Encoder, protocol: Protocol, methods: list[str]
    ) -> None:
        """Raise ValueError unless corpus, encoder, victims and methods fit each other. `place`: `datasets.x.` or ``."""
        _require_encoder_fits(corpus, encoder)
        modalities = _modalities(corpus, encoder)
        try:
            protocol.require_fit(modalities)
        except ValueError as error:
            raise ValueError(f"{place}protocol.victims: {error}") from None
        for name in methods:
            limit = modality_limit(self.methods[name].target)
            require(
                limit is None or len(modalities) <= limit,
                f"methods.{name} is defined for {limit} modalities; {corpus.name} has {len(modalities)} "
                f"({', '.join(modalities)}). Leave it out: "
                + (f"set {place}methods to the others" if place else "method=[...] without it"),
            )


def _studies_of(methods: Mapping[str, MethodConfig]) -> set[str]:
    """Return the names of all variants, swept options and grids."""
    return {study for method in methods.values() for study in method.studies}


def _modalities(corpus: Corpus, encoder: Encoder) -> tuple[str, ...]:
    if corpus.brings == "features":
        return in_order(corpus.modalities)
    return in_order(set(corpus.modalities) & set(encoder.modalities))


def _require_encoder_fits(corpus: Corpus, encoder: Encoder) -> None:
    """Raise ValueError if an encoder has nothing to encode, or a corpus's media have no encoder."""
    fault = f"encoder {encoder.name} does not fit corpus {corpus.name}"
    if corpus.brings == "features":
        require(not encoder.modalities, f"{fault}: it brings its features, use encoder=given")
    else:
        require(bool(encoder.modalities), f"{fault}: it brings media, use an encoder that encodes")
        shared = set(corpus.modalities) & set(encoder.modalities)
        has, encodes = ", ".join(in_order(corpus.modalities)), ", ".join(in_order(encoder.modalities))
        require(bool(shared), f"{fault}: the corpus has {has}, the encoder encodes {encodes}")
