"""Configuration of the report."""

from pydantic.dataclasses import dataclass

from trml.base.fields import Share, strict


@dataclass(config=strict)
class Report:
    """Options of the report.

    Attributes:
        conditions: Missing rates of the main table, beside complete data.
    """

    conditions: list[Share]
