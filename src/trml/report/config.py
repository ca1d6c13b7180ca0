"""TODO docstring."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from trml.base.fields import Share, strict


@dataclass(config=strict)
class Report:
    """What the results show."""

    resamples: Annotated[int, Field(ge=100)]
    conditions: list[Share]
