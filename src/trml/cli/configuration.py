"""Verbs on the configuration: compose, schema."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.base.nested import flat
from trml.cli.common import Config, Json, examples
from trml.cli.output import aligned, emit, moved


@examples(
    "  trml compose                                  write params.yaml\n"
    "  trml compose 'protocol.seeds=[2020,2021]'     with two seeds\n"
    "  trml compose experiment=mosi data=../data --output work/params/mosi.yaml\n"
    "  trml compose --keys training                  settings and their values"
)
def compose(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE ...]", help="values to change, in Hydra's syntax", show_default=False),
    ] = None,
    config: Config = Path("config"),
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="file to write (default: params.yaml)", show_default=False)
    ] = Path("params.yaml"),
    keys: Annotated[
        str | None,
        typer.Option(metavar="PREFIX", help="list the settings below a key (all: ''), and write nothing"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a configuration file from config/ and overrides, check it, and say what its run can find out."""
    from trml.base.artifacts import write_text
    from trml.config.compose import compose as compose_text
    from trml.config.load import load
    from trml.evaluation.foreseen import detectable_words
    from trml.planning.size_of_test import size_of_test

    text = compose_text(overrides or [], config)
    if keys is not None:
        found = _below(text, keys)
        emit("compose", {"output": None, "settings": found}, _listed(found), as_json=as_json)
        return
    write_text(output, text)
    lines = [f"wrote {output}"]
    params = load(output)
    size = size_of_test(params)
    if size is not None:
        lines.append(detectable_words(size.task, size.groups, size.utterances, [len(params.protocol.seeds)]))
    emit("compose", {"output": str(output), "settings": {}}, lines, as_json=as_json)


def _listed(settings: dict[str, Any]) -> list[str]:
    return aligned([(key, moved(value)) for key, value in settings.items()])


def _below(text: str, prefix: str) -> dict[str, Any]:
    """Return the settings of a composed configuration below a key, by dotted key.

    Raises:
        CommandError: If there is no such key.
    """
    import yaml

    settings = dict(flat(yaml.safe_load(text)))
    found = {
        key: value for key, value in settings.items() if not prefix or key == prefix or key.startswith(f"{prefix}.")
    }
    if not found:
        parents = {".".join(key.split(".")[:depth]) for key in settings for depth in range(1, key.count(".") + 2)}
        raise CommandError(f"there is no setting {prefix}{nearest(prefix, parents)}")
    return found


@examples("  trml schema            that of params.yaml\n  trml schema compare    that of `trml compare --json`")
def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="VERB", help="a verb with --json, or `error`", show_default=False)
    ] = None,
) -> None:
    """Print the JSON schema of params.yaml, for editors that check it, or of what a verb prints with --json."""
    from trml.cli.schemas import KINDS, json_schema_of
    from trml.config.load import json_schema

    if kind is not None and kind not in KINDS:
        raise CommandError(f"there is no JSON document {kind!r}{nearest(kind, KINDS)}")
    print(json.dumps(json_schema() if kind is None else json_schema_of(kind), indent=1))
