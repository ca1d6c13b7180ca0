"""Registry of tables and figures: a scan of `report/tables` and `report/figures`, here and in extension packages."""

from collections.abc import Iterator
from importlib import import_module

from trml.base.errors import ContractError
from trml.base.modules import components
from trml.report.dataset import Dataset
from trml.report.figures.common.drawn import Drawn
from trml.report.tables.common.table import Table


def all_tables(data: Dataset) -> list[Table]:
    """Return the tables of every component of `report.tables`.

    Raises:
        ContractError: If two components make a table of the same name.
    """
    makers: dict[str, str] = {}
    made = []
    for module in components("report.tables").values():
        for table in import_module(module).tables(data):
            _once(makers, "table", table.name, module)
            made.append(table)
    return made


def all_figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the figures of every component of `report.figures`, one open at a time.

    Raises:
        ContractError: If two components draw a figure of the same name.
    """
    makers: dict[str, str] = {}
    for module in components("report.figures").values():
        for drawn in import_module(module).figures(data):
            _once(makers, "figure", drawn.name, module)
            yield drawn


def _once(makers: dict[str, str], what: str, name: str, module: str) -> None:
    if name in makers:
        raise ContractError(f"{what} {name} is made by {makers[name]} and by {module}; give one of them another name")
    makers[name] = module
