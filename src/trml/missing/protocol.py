"""TODO docstring."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Seed, Share, require, strict
from trml.missing.pattern import FRAME_RATES, Victim


@dataclass(config=strict)
class Protocol:
    """What may be missing, how often, and with which mask seeds.

    rates: missing rates, in training and at evaluation alike. complete: the shares p of complete training utterances of
    Setting A (dev and test lack the victim entirely) and Setting B (dev and test keep the same share).
    """

    victims: Annotated[list[Victim], Field(min_length=1)]
    rates: Annotated[list[Share], Field(min_length=1)]
    complete: list[Share]
    study_rate: Share
    seeds: Annotated[list[Seed], Field(min_length=1)]

    @property
    def modalities(self) -> list[str]:
        """The victims that are one modality: those of the settings and of the studies."""
        return [victim for victim in self.victims if victim in ("vision", "text")]

    @property
    def setting_rates(self) -> list[float]:
        """The missing rates 1 - p of the settings."""
        return [round(1 - p, 6) for p in self.complete]

    def rates_of(self, victim: str) -> list[float]:
        """The rates at which a victim is missing."""
        return [rate for rate in self.rates if victim != "frames" or rate in (0.0, *FRAME_RATES, 1.0)]

    @model_validator(mode="after")
    def _distinct(self) -> "Protocol":
        for key in ("victims", "rates", "seeds", "complete"):
            values = getattr(self, key)
            require(len(set(values)) == len(values), f"{key} names a value twice: {values}")
        require(self.study_rate in self.rates, f"study_rate {self.study_rate} is not one of rates {self.rates}")
        require(bool(self.modalities), f"victims {self.victims} names neither vision nor text")
        absent = sorted(set(self.setting_rates) - set(self.rates))
        require(not absent, f"rates lacks {absent}, the missing rates of complete {self.complete}")
        return self
