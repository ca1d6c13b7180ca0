"""Verbs that look up what there is: methods, corpora, encoders, experiments."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trml.base.commands import params_file
from trml.base.errors import DataMissing, TrmlError
from trml.cli.common import Config, Json, examples, experiment_names, result_folder
from trml.cli.fetching import Data, corpus_names
from trml.cli.output import aligned, emit, paragraph, written

if TYPE_CHECKING:
    from trml.planning.catalogue import Entry


def method_names(incomplete: str = "") -> list[str]:
    """Return the names of the methods in config/, for completion."""
    return sorted(path.stem for path in Path("config/method").glob(f"{incomplete}*.yaml"))


def encoder_names(incomplete: str = "") -> list[str]:
    """Return the names of the encoders in config/, for completion."""
    return sorted(path.stem for path in Path("config/encoder").glob(f"{incomplete}*.yaml"))


@examples("  trml methods\n  trml methods trml     its options, what a search selected, its cost")
def methods(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="one of them", autocompletion=method_names, show_default=False)
    ] = None,
    config: Config = Path("config"),
    as_json: Json = False,
) -> None:
    """List the methods; with a name, its options and selected values, its source, publications and cost."""
    from trml.planning.catalogue import methods as listed

    _tell("methods", listed(config), name, as_json, _cost(name) if name else {})


@examples("  trml corpora\n  trml corpora mvsa_single     its terms, files and options")
def corpora(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="one of them", autocompletion=corpus_names, show_default=False)
    ] = None,
    data: Data = None,
    config: Config = Path("config"),
    as_json: Json = False,
) -> None:
    """List the corpora; with a name, its terms, licence, files and options."""
    from trml.config.load import load
    from trml.planning.catalogue import corpora as listed

    folder = data or Path(load(params_file()).data if Path(params_file()).is_file() else "data")
    _tell("corpora", listed(config, folder), name, as_json)


@examples("  trml encoders\n  trml encoders tiny_clip")
def encoders(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="one of them", autocompletion=encoder_names, show_default=False)
    ] = None,
    config: Config = Path("config"),
    as_json: Json = False,
) -> None:
    """List the encoders; with a name, its options, source and publications."""
    from trml.planning.catalogue import encoders as listed

    _tell("encoders", listed(config), name, as_json)


@examples("  trml experiments\n  trml experiments pantomime_full")
def experiments(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="one of them", autocompletion=experiment_names, show_default=False),
    ] = None,
    config: Config = Path("config"),
    as_json: Json = False,
) -> None:
    """List the experiments; with a name, what it studies, its datasets and its results."""
    from trml.planning.catalogue import experiments as listed

    _tell("experiments", listed(config), name, as_json)


def _tell(
    kind: str, entries: "Sequence[Entry]", name: str | None, as_json: bool, cost: Mapping[str, Any] | None = None
) -> None:
    """Print all entries as a table, or one in full."""
    from trml.planning.catalogue import chosen

    if not entries:
        raise DataMissing(f"there are no {kind} here, in {Path.cwd()}", expected="a checkout of trml, with config/")
    one = chosen(list(entries), name, {"corpora": "corpus"}.get(kind, kind.rstrip("s"))) if name else None
    shown = [one] if one else list(entries)
    listed = [{"name": each.name, **{_key(key): value for key, value in each.facts.items()}} for each in shown]
    detail = {**one.detail, **({"cost": cost} if cost else {})} if one else None
    lines = list(_in_full(one, detail or {})) if one else list(_table(kind, shown))
    emit(kind, {"items": listed, "detail": detail}, lines, as_json=as_json)


def _key(column: str) -> str:
    return column.replace(" ", "_")


def _table(kind: str, entries: "Sequence[Entry]") -> Iterator[str]:
    header = ["name", *entries[0].facts]
    yield from aligned([[each.name, *each.facts.values()] for each in entries], header)
    words = {"corpora": "corpora", "methods": "methods"}.get(kind, kind)
    what = {"methods": "Options and selected values", "corpora": "Terms and files"}.get(kind, "Options")
    example = "trml" if kind == "methods" else entries[0].name
    yield f"{len(entries)} {words}. {what} of one: trml {kind} {example}"


def _in_full(entry: "Entry", detail: Mapping[str, Any]) -> Iterator[str]:
    yield from aligned([("name", entry.name), *((key, value) for key, value in entry.facts.items() if value)])
    for heading, value in detail.items():
        if value in (None, [], {}, ""):
            continue
        if isinstance(value, Mapping):
            yield f"{heading}:"
            yield from (f"  {line}" for line in aligned([(key, written(each)) for key, each in value.items()]))
        elif isinstance(value, list):
            yield f"{heading}: {', '.join(map(str, value))}"
        else:
            yield from paragraph(str(value), f"{heading}: ")


def _cost(method: str) -> dict[str, Any]:
    """Return what a method costs in the default result: parameters and operations; nothing where that is unknown."""
    from trml.report.published import Published

    try:
        result = Published(result_folder(None))
    except TrmlError:
        return {}
    if "cost" not in result.tables:
        return {}
    rows = result.table("cost").rows(named=True)
    found = next((row for row in rows if row["method"] == method), {})
    return {key: int(value) for key, value in found.items() if key != "method" and value is not None}
