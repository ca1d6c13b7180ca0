"""One experiment: methods, protocol, training, report, and the datasets it is run on."""

from dataclasses import field, replace
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Seed, require, strict
from trml.config.method_options import check_options
from trml.corpora.registry import Corpus
from trml.features.encoders.registry import Encoder
from trml.methods.config import MethodConfig
from trml.missing.protocol import Protocol
from trml.report.config import Report
from trml.training.config import Training


@dataclass(config=strict)
class Chosen:
    """What the search on dev chose for a method on a corpus through an encoder: of how many trials, its dev loss and
    that of the median trial, and the options' values. The methods' configurations take them from here."""

    trials: Count
    dev_loss: float
    median_dev_loss: float
    options: dict[str, Any]


@dataclass(config=strict)
class Dataset:
    """A further dataset of an experiment: a corpus seen through an encoder, with which protocol (the experiment's own
    where it is null), and which methods (null: all).

    study: what it is there for. `corpus`: the same experiment on another corpus; `alignment`: the experiment's own
    corpus through encoders that share no space, against its own encoder; `redundancy`: pantomime with other weights, to
    see what of a missing modality can be recovered. `studies`: whether variants, sweeps and grids are run too.
    `chosen`: what a search on its own dev part chose (empty: the methods keep the experiment's values).
    """

    corpus: Corpus
    encoder: Encoder
    study: Literal["corpus", "alignment", "redundancy"] = "corpus"
    protocol: Protocol | None = None
    methods: list[Name] | None = None
    studies: bool = True
    chosen: dict[Name, Chosen] = field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> "Dataset":
        _require_fit(self.corpus, self.encoder)
        return self


def _require_fit(corpus: Corpus, encoder: Encoder) -> None:
    given = encoder.kind == "given"
    brings = corpus.kind in ("mosi", "arrays")
    remedy = "it brings its features, use encoder=given" if brings else "it brings media, use an encoder that encodes"
    require(given == brings, f"encoder {encoder.name} does not fit corpus {corpus.name}: {remedy}")


@dataclass(config=strict)
class Params:
    """The whole configuration of one experiment: params.yaml.

    The experiment is run on `corpus` through `encoder`, and in the same way on every dataset in `also`.
    """

    name: Name
    seed: Seed
    data: str
    device: Literal["auto", "cpu", "cuda"]
    corpus: Corpus
    encoder: Encoder
    methods: Annotated[dict[Name, MethodConfig], Field(min_length=1)]
    protocol: Protocol
    training: Training
    report: Report
    also: dict[Name, Dataset] = field(default_factory=dict)
    accept_terms: list[Name] = field(default_factory=list)
    chosen: dict[Name, Chosen] = field(default_factory=dict)

    def each(self) -> dict[str, "Params"]:
        """The experiment on each of its datasets, by name; the first has its corpus's name and is the experiment's
        own."""
        return {self.corpus.name: replace(self, also={})} | {name: self._on(d) for name, d in self.also.items()}

    def _on(self, dataset: Dataset) -> "Params":
        methods = {n: m for n, m in self.methods.items() if dataset.methods is None or n in dataset.methods}
        for name in methods.keys() & dataset.chosen.keys():
            options = methods[name].options | dataset.chosen[name].options
            methods[name] = replace(methods[name], options=options)
        if not dataset.studies:
            methods = {n: replace(m, variants={}, sweeps={}, grids=[]) for n, m in methods.items()}
        protocol = dataset.protocol or self.protocol
        report = replace(self.report, conditions=[r for r in self.report.conditions if r in protocol.rates])
        return replace(
            self,
            corpus=dataset.corpus,
            encoder=dataset.encoder,
            protocol=protocol,
            methods=methods,
            report=report,
            also={},
            chosen=dataset.chosen or self.chosen,
        )

    @model_validator(mode="after")
    def _fits(self) -> "Params":
        _require_fit(self.corpus, self.encoder)
        require(
            self.corpus.name not in self.also, f"also.{self.corpus.name} has the name of the experiment's own corpus"
        )
        absent = set(self.report.conditions) - set(self.protocol.rates)
        require(not absent, f"report.conditions {sorted(absent)} are not among protocol.rates")
        for name, method in self.methods.items():
            check_options(name, method)
        for name, dataset in self.also.items():
            unknown = sorted(set(dataset.methods or ()) - set(self.methods))
            require(not unknown, f"also.{name}.methods names {unknown}; known are {', '.join(self.methods)}")
        proposed = [name for name, method in self.methods.items() if method.role == "proposed"]
        require(
            len(proposed) <= 1, f"methods {proposed} have role proposed; the claims judge one: make the others baseline"
        )
        self._enough_resamples()
        return self

    def _enough_resamples(self) -> None:
        """A bootstrap p-value is never below 2 / (resamples + 1); Holm's correction must be able to bring it to 5 %."""
        roles = [method.role for method in self.methods.values()]
        victims, rates = len(self.protocol.modalities), sum(rate > 0 for rate in self.protocol.rates)
        comparisons = victims * max(roles.count("baseline") * rates, *(len(m.variants) for m in self.methods.values()))
        needed = 40 * comparisons
        require(
            self.report.resamples >= needed,
            f"report.resamples is {self.report.resamples}; with {comparisons} comparisons in a claim no difference "
            f"could ever be significant, expected at least {needed}",
        )
