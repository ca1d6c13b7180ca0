"""What evaluation is handed, and the files it writes: schemas.py has the columns of each table.

All scores are those of test utterances.

Of an evaluation:

    metrics.parquet         METRICS: a row for each cell, variant that it stands for, condition and metric
    summary.parquet         SUMMARY: a row for each protocol, method, variant, condition and metric, over all seeds
    pairs.parquet           PAIRS: the difference between every two methods under every condition, judged
    aggregates.parquet      AGGREGATES: each method's mean over rates, on the scale from constant to best
    improvement.parquet     IMPROVEMENT: the difference of these between every two methods
    matrix.parquet          MATRIX: a row for each training, method, set of modalities present on test, and metric
    robustness.parquet      ROBUSTNESS: a row for each protocol, method, victim, metric and measure
    calibration.parquet     CALIBRATION: whether intervals of predictions hold, and probabilities mean what they say
    terms.parquet           TERMS: the terms of the label that predictions follow, if the corpus knows them
    axes.parquet            AXES: every method at the points of an axis, if the experiment has such datasets
    redundancy.parquet      REDUNDANCY: what was recovered over the redundancy, if the experiment has such datasets
    claims.json             every claim with its comparisons
    metrics.json            the metrics of the task, the primary one first: a list of MetricInfo
    cells.json              the record of every cell
    predictions/            what scores are computed from, as it is published (published.py); the own dataset's alone

Of the probes of virtual modalities:

    retrieval.parquet       RETRIEVAL: whether virtual vectors find their true partner
    ranks.parquet           RANKS: the same, utterance by utterance
    factors.parquet         FACTORS: which latent factors virtual vectors carry, for a corpus that knows its own
    similarity.npz          of the first seed: VICTIM_virtual and VICTIM_real, cosines [M, M] of virtual and of real
                            vectors to real ones; VICTIM_label and VICTIM_id of the M utterances, sorted by label
    embedding.parquet       EMBEDDING: of the first seed, real and virtual vectors as points in the plane
    corruption.parquet      CORRUPTION: scores with a modality that is there and wrong, if analyses are asked for
    conventions.parquet     CONVENTIONS: the proposed method scored as others do it, likewise
    cost.parquet            COST: parameters and operations of every method
    examples.json           utterances with the largest and smallest errors, and every method's predictions by seed
    examples/               the frames of their clips, side by side
    probes.json             what was probed; `reason` says why nothing was, and then all of the above are empty
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trml.evaluation.config import SUBMISSIONS, Submitted
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition
from trml.missing.pattern import Absence, Missing
from trml.missing.registry import missing_pattern
from trml.training.contract import Cell, Settings, Training

Purpose = Literal["own", "corpus", "regime", "axis", "rotation", "alignment", "redundancy"]

# Protocols: the same rate in training and at evaluation, training on complete data, and Setting A.
MATCHED, COMPLETE, SETTING_A = "matched", "complete", "setting_a"
NOTHING = "none"  # the missing pattern of complete data, as a word
ALL = "all"  # every test utterance, whatever it keeps, as a word

# The reference models (references.py), name -> label.
REFERENCES = {"ridge": "Ridge on features", "tfidf": "Ridge on TF-IDF of the text"}

# The folder of what scores are computed from, and its file with labels (published.py).
PUBLISHED, LABELLED = "predictions", "test.parquet"

OURS = "as here"  # the convention that this project scores by

# Fewer seeds or groups of test utterances say too little of how much they differ, and nothing is tested on them.
FEWEST_SEEDS, FEWEST_GROUPS = 3, 10


def other_side(verdict: str) -> str:
    """Return the verdict on a pair of methods as the second one sees it."""
    return {"better": "worse", "worse": "better"}.get(verdict, verdict)


@dataclass(frozen=True)
class StudyVariant:
    """A method with some of its options moved.

    kind: `loss` or `design` for a named variant, `sweep` for one option over its values, `grid` for several.
    options: only those that are moved.
    """

    name: str
    label: str
    kind: Literal["loss", "design", "sweep", "grid"]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class StudyMethod:
    """A method of a study.

    single: whether it is another method for each missing pattern (its module is shaped by it), so that it has no one
    score on complete data.
    """

    name: str
    label: str
    role: Literal["proposed", "baseline", "upper"]
    single: bool
    options: Mapping[str, Any]
    variants: Sequence[StudyVariant] = ()

    def swept(self, option: str) -> list[StudyVariant]:
        """Return the variants that move this option alone, in the order of the configuration."""
        return [v for v in self.variants if v.kind == "sweep" and list(v.options) == [option]]

    def moving(self, options: Mapping[str, Any]) -> StudyVariant | None:
        """Return the variant of a sweep or grid that moves these options to these values, None without one."""
        return next((v for v in self.variants if v.kind in ("sweep", "grid") and v.options == options), None)


@dataclass(frozen=True)
class Study:
    """What is compared on one dataset of an experiment.

    Attributes:
        name: The experiment's name, with the dataset's where it is a further one.
        dataset: The further dataset's name, None for the experiment's own.
        purpose: What the dataset is there for.
        corpus: The corpus's name, which masks depend on.
        modalities: In order.
        methods: In the order of the configuration.
        training: MATCHED if methods are trained at the rates, COMPLETE if on complete data alone.
        victims: Missing patterns, by name.
        rates: Missing rates at evaluation and, if matched, in training.
        study_rate: At which variants are evaluated.
        complete: Shares p of complete training utterances of Settings A and B.
        labels: How many training utterances keep their labels, None for all.
        told: Whether methods may show themselves missing modalities by dropout or masked views.
        seeds: Of masks and trainings.
        shown_rates: The rates of the main table.
        seed: The experiment's.
        label_noise: The share of labelled training utterances whose labels change places.
        absence: What decides which utterances of train and dev lack something.
        weighted: Whether training utterances are weighted by what they lack given their labels.
        submitted: Predictions of other people's code that stand beside the methods.
    """

    name: str
    dataset: str | None
    purpose: Purpose
    corpus: str
    modalities: tuple[str, ...]
    methods: Sequence[StudyMethod]
    training: Literal["matched", "complete"]
    victims: Sequence[str]
    rates: Sequence[float]
    study_rate: float
    complete: Sequence[float]
    labels: int | None
    told: bool
    seeds: Sequence[int]
    shown_rates: Sequence[float]
    seed: int
    label_noise: float = 0.0
    absence: Absence = "by_chance"
    weighted: bool = False
    submitted: Sequence[Submitted] = ()

    @property
    def entries(self) -> dict[str, str]:
        """The labels of all that tables have a row of, by name: methods, and what was submitted."""
        methods = {method.name: method.label for method in self.methods}
        return methods | {each.name: f"{each.label} (submitted)" for each in self.submitted}

    @property
    def by_name(self) -> dict[str, StudyMethod]:
        """The methods by name."""
        return {method.name: method for method in self.methods}

    @property
    def proposed(self) -> StudyMethod | None:
        """The method that the claims judge."""
        return next((m for m in self.methods if m.role == "proposed"), None)

    @property
    def upper(self) -> StudyMethod | None:
        """The upper bound."""
        return next((m for m in self.methods if m.role == "upper"), None)

    @property
    def single(self) -> StudyMethod | None:
        """The first method that is trained on the modalities that are never missing alone."""
        return next((m for m in self.methods if m.single), None)

    @property
    def baselines(self) -> list[StudyMethod]:
        """What the proposed method is judged against."""
        return [m for m in self.methods if m.role == "baseline"]

    def training_rate(self, rate: float) -> float:
        """Return the rate in training of what is evaluated at a rate."""
        return rate if self.training == MATCHED else 0.0

    @property
    def study_training_rate(self) -> float:
        """The rate in training of variants and probes."""
        return self.training_rate(self.study_rate)

    @property
    def regime(self) -> str:
        """What sets the training apart from the experiment's own, in words."""
        return ", ".join(
            words
            for words, holds in (
                ("complete data in training", self.training == COMPLETE),
                ("one modality missing in training", not self.told and self.training == MATCHED),
                ("no modality dropout or masked views", not self.told),
                (f"{self.labels} labelled training utterances", self.labels is not None),
                (f"{self.label_noise:.0%} of training labels exchanged", self.label_noise > 0),
                ("absence in training depends on the label", self.absence == "by_label"),
                ("weighted by inverse probability", self.weighted),
            )
            if holds
        )

    def condition(self, victim: str, rate: float) -> Condition:
        """Return the condition under which the methods are compared at a rate."""
        trained = self.training_rate(rate)
        return Condition(victim, rate, trained, trained)

    def at_rate(self, words: str) -> str:
        """Return in words how methods were trained and evaluated: `trained and evaluated at missing rate 0.5`.

        `words` name the rate at evaluation.
        """
        if self.training == MATCHED:
            return f"trained and evaluated at {words}"
        return f"trained on complete data and evaluated at {words}"

    @property
    def at_study_rate(self) -> str:
        """How variants were trained and evaluated, in words."""
        return self.at_rate(f"missing rate {self.study_rate:g}")

    @property
    def single_victims(self) -> list[str]:
        """The patterns that take one modality: those of the settings and of the variants."""
        return [victim for victim in self.victims if victim in self.modalities]

    @property
    def setting_rates(self) -> list[float]:
        """The missing rates 1 - p of the settings."""
        return [round(1 - p, 6) for p in self.complete]

    def pattern(self, victim: str) -> Missing:
        """Return a missing pattern by name."""
        return missing_pattern(victim, self.modalities)

    def rates_of(self, victim: str) -> list[float]:
        """Return the rates at which a pattern is missing."""
        return self.pattern(victim).rates(self.rates)

    def runs(self, method: StudyMethod, victim: str) -> bool:
        """Return whether a method can be trained for a pattern: one that is shaped by it needs to know what is lost."""
        return not (method.single and len(self.pattern(victim).lost) > 1)


@dataclass(frozen=True)
class EvaluationInputs:
    """What evaluation reads.

    Attributes:
        study: What is compared.
        cells: Every training that the experiment asks for, with the cell that stands for it.
        corpus: The corpus's folder.
        features: The feature folder; of its arrays nothing is read.
        references: The folder of the predictions of reference models.
        probes: The folder of the probes of virtual modalities, None for a further dataset.
        others: The further datasets.
        submissions: The folder of what was submitted.
    """

    study: Study
    cells: Mapping[Training, Cell]
    corpus: Path
    features: Path
    references: Path
    probes: Path | None = None
    others: Sequence["EvaluationInputs"] = ()
    submissions: Path = SUBMISSIONS

    def cell(self, method: str, variant: str, victim: str, rate: float, dev_rate: float, seed: int) -> Cell:
        """Return the cell that stands for a training."""
        return self.cells[Training(method, variant, victim, rate, dev_rate, seed)]

    def probed_cells(self) -> dict[tuple[str, str, int], Cell]:
        """Return the defaults of the study's rate in training, by method, missing modality and seed."""
        s = self.study
        return {
            (m.name, victim, seed): self.cell(
                m.name, DEFAULT, victim, s.study_training_rate, s.study_training_rate, seed
            )
            for m in s.methods
            for victim in s.single_victims
            for seed in s.seeds
        }

    def distinct_cells(self) -> list[Cell]:
        """Return every cell once, in order."""
        return list({cell.digest: cell for cell in self.cells.values()}.values())


@dataclass(frozen=True)
class ProbeInputs:
    """What the probes read: evaluation's inputs, and what it takes to run the proposed method again.

    settings: of the trainings. data: the folder of raw data. frames: how many frames an example shows, None for
    features that a corpus brings. analyses: whether wrong modalities and other conventions of scoring are looked at.
    """

    evaluation: EvaluationInputs
    settings: Settings
    data: Path
    frames: int | None
    analyses: bool = False


@dataclass(frozen=True)
class Searched:
    """What the search on dev chose for a method: of how many trials, dev losses, the options' values.

    as_good: how many trials are as good as the chosen one, itself among them; None if it is not known.
    """

    trials: int
    dev_loss: float
    median_dev_loss: float
    options: Mapping[str, Any] = field(default_factory=dict)
    as_good: int | None = None


@dataclass(frozen=True)
class MetricInfo:
    """A metric as metrics.json describes it, for those that show scores without computing any.

    Attributes:
        name: As in the column `metric`.
        label: In headers and on axes.
        higher_is_better: Which way it points.
        headline: Whether the main tables show it.
        drawn: Whether figures over the missing rate show it.
    """

    name: str
    label: str
    higher_is_better: bool
    headline: bool
    drawn: bool
