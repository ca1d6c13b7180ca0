"""Configuration of the report."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from trml.base.fields import Share, strict


@dataclass(config=strict)
class Report:
    """Options of the report.

    Attributes:
        resamples: Resamples of the paired bootstrap behind every interval.
        conditions: Missing rates of the main table, beside complete data.
    """

    resamples: Annotated[int, Field(ge=100)]
    conditions: list[Share]
