"""The verb trace."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trml.base.errors import ContractError
from trml.cli.common import Json, examples, opened
from trml.cli.output import emit

if TYPE_CHECKING:
    from trml.report.trace import Traced

_SHOWN = 3  # scores of a side; --json has all


@examples(
    "  trml trace main/trml/vision@0.5                  TRML with half of the vision missing\n"
    "  trml trace pantomime_full:C1/zero_fill/text@0.9  an effect of claim C1, with its p-value\n"
    "  trml trace pantomime_full:0.387                  which numbers round to it"
)
def trace(
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS", help="[RESULT:]TABLE/METHOD/CONDITION[/METRIC], or [RESULT:]NUMBER", show_default=False
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show where a published number comes from: table, scores, predictions, inputs, source, command.

    An address is [RESULT:]TABLE/METHOD[.VARIANT]/CONDITION[/METRIC]. A number lists the addresses of all that round to
    it. Published files alone are read.
    """
    from trml.report.trace import rounding_to
    from trml.report.trace import trace as run

    name, _, own = address.rpartition(":")
    with opened(name or None) as result:
        shown = name or result.name
        if _is_number(own):
            found = [f"{shown}:{each}" for each in rounding_to(result, own)]
            lines = [f"{len(found)} published numbers round to {own}.", *(f"  trml trace {each}" for each in found)]
            emit("rounded", {"rounded": own, "addresses": found}, lines, as_json=as_json)
            return
        traced = run(result, own)
        emit("trace", traced, _words(result, traced), as_json=as_json)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _has_labels(result: Path) -> bool:
    """Return whether results are published with the labels that scores are computed from."""
    from trml.report.result_files import utterances_of

    try:
        return not utterances_of(result)["label"].null_count()
    except ContractError:
        return False


def _words(result: Path, t: "Traced") -> list[str]:
    beside = {key: value for key, value in t.beside.items() if value is not None}
    interval = f" [{beside.pop('low'):.6f}, {beside.pop('high'):.6f}]" if {"low", "high"} <= beside.keys() else ""
    words = ", ".join(f"{key} {value:.6f}" for key, value in beside.items())
    seal = str(t.published["sha256"])[:12]
    lines = [
        f"{t.value:.6f}{interval}  {t.address}{f'  ({words})' if words else ''}",
        f"table     {result / t.published['file']}, line {t.published['line']}, sha256 {seal}",
    ]
    for method, variant in dict.fromkeys((s["method"], s["variant"]) for s in t.scores):
        side = [s for s in t.scores if (s["method"], s["variant"]) == (method, variant)]
        for s in side[:_SHOWN]:
            who = f"{method}{'' if variant == 'default' else f'.{variant}'}, seed {s['seed']}"
            cell = f"cell {s['cell']}, predictions {s['content'] or 'without checksum'}"
            lines.append(f"score     {s['value']:.6f}  {s['file']}, line {s['line']}: {who}, {cell}")
        if len(side) > _SHOWN:
            lines.append(f"          {len(side) - _SHOWN} more (--json)")
    if t.follows is not None:
        lines.append(f"computed  {'mean of these scores' if t.follows else 'NOT the mean of these scores'}")
    elif t.scores:
        lines.append("computed  from the predictions of these trainings, utterance by utterance")
    if t.predictions:
        again = f"; compute again: python docs/recompute.py {result}" if _has_labels(result) else ", without labels"
        lines.append(f"rows      {result / t.predictions['file']}{again}")
    lines.append(f"inputs    {', '.join(f'{key} {name}' for key, name in t.made_from.items() if name)}")
    source, versions = t.source, t.source["versions"]
    state = "clean" if source["clean"] else "with changes"
    known = {"trml": "trml", "torch": "torch", "Python": "python"}
    torch = ", ".join(f"{word} {versions[key]}" for word, key in known.items() if key in versions) or "unknown versions"
    lines.append(f"source    commit {(source['commit'] or 'unknown')[:7]}, {state}; {torch}")
    one = [f"          trml run {result.name} --only {t.scores[0]['cell']}   one training"] if t.scores else []
    return [*lines, f"again     {t.command}", *one]
