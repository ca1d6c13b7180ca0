"""Configuration of the report."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Share, strict


@dataclass(config=strict)
class Report:
    """Options of the report.

    Attributes:
        conditions: Missing rates of the main table, beside complete data.
        forms: In which every figure is saved, beside svg, which the page shows.
    """

    conditions: list[Share]
    forms: list[Literal["pdf", "png"]]
