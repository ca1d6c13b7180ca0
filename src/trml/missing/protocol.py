"""The missing protocol of an experiment: what is missing, how often, with which seeds."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Seed, Share, require, strict
from trml.missing.pattern import Absence
from trml.missing.registry import missing_pattern


@dataclass(config=strict)
class Protocol:
    """What may be missing, how often, and with which mask seeds.

    Attributes:
        told: Whether methods may show themselves missing modalities whatever the rate, by modality dropout or masked
            views. If not, their options for that are off (`untold` of a method).
        victims: Missing patterns by name (missing/registry.py).
        training: `matched` trains at each of the rates, `complete` on complete data alone, so that no method knows that
            something will be missing.
        rates: Missing rates at evaluation and, if matched, in training alike.
        complete: Shares p of complete training utterances of Setting A (dev and test lack the victim entirely) and of
            Setting B (dev and test keep the same share).
        labels: How many training utterances keep their labels, None for all. The others are used without.
        study_rate: The rate at which ablations, sweeps, grids and the search on dev are run.
        seeds: Of masks and trainings.
        label_noise: The share of labelled training utterances whose labels change places among each other.
        absence: What decides which utterances of train and dev lack something. On test it is chance.
        weighted: Whether training utterances are weighted, in the task loss, by the inverse of the estimated
            probability of what they lack given their labels; dev utterances likewise.
    """

    training: Literal["matched", "complete"]
    told: bool
    victims: Annotated[list[str], Field(min_length=1)]
    rates: Annotated[list[Share], Field(min_length=1)]
    complete: list[Share]
    labels: Count | None
    study_rate: Share
    seeds: Annotated[list[Seed], Field(min_length=1)]
    label_noise: Share = 0.0
    absence: Absence = "by_chance"
    weighted: bool = False

    @property
    def study_training_rate(self) -> float:
        """The rate in training of ablations, sweeps, grids and the search on dev."""
        return self.study_rate if self.training == "matched" else 0.0

    @property
    def setting_rates(self) -> list[float]:
        """The missing rates 1 - p of the settings."""
        return [round(1 - p, 6) for p in self.complete]

    def single_victims(self, modalities: Sequence[str]) -> list[str]:
        """Return the victims that are one modality: those of the settings and of the studies."""
        return [victim for victim in self.victims if victim in modalities]

    def require_fit(self, modalities: Sequence[str]) -> None:
        """Raise ValueError unless every victim is a pattern of these modalities, and one is a single modality."""
        for victim in self.victims:
            pattern = missing_pattern(victim, modalities)
            depends = self.absence == "by_label" and pattern.level == "step"
            require(not depends, f"absence is by_label, which {victim} cannot follow; name whole modalities")
            some = any(rate > 0 for rate in pattern.rates(self.rates))
            require(some or max(self.rates) == 0, f"{victim} is evaluated at none of the rates {self.rates}")
        single = " or ".join(modalities)
        require(bool(self.single_victims(modalities)), f"victims are {self.victims}; expected at least one of {single}")

    @model_validator(mode="after")
    def _distinct(self) -> "Protocol":
        for key in ("victims", "rates", "seeds", "complete"):
            values = getattr(self, key)
            require(len(set(values)) == len(values), f"{key} names a value twice: {values}")
        require(self.study_rate in self.rates, f"study_rate {self.study_rate} is not one of rates {self.rates}")
        if self.training == "complete":
            require(not self.complete, f"complete is {self.complete}; with training on complete data it must be []")
            require(not self.told, "told is true; with training on complete data no method may be told")
            require(self.absence == "by_chance", "absence is by_label; nothing is absent in training on complete data")
            require(0.0 in self.rates, f"rates {self.rates} lacks 0, at which training is on complete data")
        unknown = self.weighted and (self.absence == "by_chance" or self.labels is not None)
        require(not unknown, "weighted is true, which needs absence by_label and all labels")
        absent = sorted(set(self.setting_rates) - set(self.rates))
        require(not absent, f"rates lacks {absent}, the missing rates of complete {self.complete}")
        return self
