"""The verb predict."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trml.base.errors import CommandError
from trml.base.printable import printable, shell_word
from trml.cli.common import Json, examples, result_folder
from trml.cli.output import emit

if TYPE_CHECKING:
    from trml.api.predictor import Prediction, Predictor


@examples(
    '  trml predict clip.mp4 --text "what a day"    both modalities\n'
    "  trml predict clip.mp4                        the text is missing\n"
    "  trml predict --csv posts.csv                 columns text, clip; paths below the file's folder\n"
    "  trml predict photo.jpg --model pantomime_full/zero_fill"
)
def predict(
    media: Annotated[str | None, typer.Argument(metavar="MEDIA", help="a picture or video", show_default=False)] = None,
    text: Annotated[str, typer.Option(metavar="TEXT", help="what is said, or written beside it")] = "",
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="many utterances: a csv with columns text, clip")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="RESULT[/METHOD]", help="default: that of the configuration in force, and its proposed method"
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Predict from a picture or video, a text, or both.

    Prints the prediction, how far it rests on each modality (Shapley values over what is present), and, where one is
    missing, the real utterances nearest to what the method puts in its place.
    """
    from trml.corpora.checking.batch import is_table, items_of

    if media is not None and is_table(media):
        raise CommandError(f"{media} is a table; for the utterances in it: trml predict --csv {shell_word(media)}")
    if table is not None and (media or text):
        raise CommandError("--csv names the texts and clips itself; expected neither MEDIA nor --text beside it")
    if table is None and not (media or text):
        raise CommandError("nothing to predict from; expected a picture or video, --text TEXT, or --csv FILE")
    result, method = _named(model)
    folder = result_folder(result or None, "--model")
    items = [{"text": text, "clip": media}] if table is None else items_of(table, _trained_on(folder))
    from trml.api.predictor import predictor

    models = predictor(folder, method or None)
    predictions = models.predict(items)
    if table is None:
        found = predictions[0]
        emit("predict", _document(models, folder.name, found), _words(models, folder.name, found), as_json=as_json)
    elif as_json:
        for found in predictions:
            emit("predict", _document(models, folder.name, found), (), as_json=True, indent=None)
    else:
        _print_csv(items, predictions, models)


def _named(model: str) -> tuple[str, str]:
    """Return the result and the method of RESULT[/METHOD], where a result may be a folder."""
    if "/" not in model or Path(model).is_dir():
        return model, ""
    result, _, method = model.rpartition("/")
    return result, method


def _trained_on(folder: Path) -> dict[str, str]:
    """Return what the table that a result was trained on calls its columns, by role; nothing of other corpora."""
    from trml.config.load import load

    columns = getattr(load(folder / "params.yaml").corpus, "columns", None)
    return {role: name for role, name in asdict(columns).items() if name} if columns else {}


def _words(models: "Predictor", result: str, found: "Prediction") -> Iterator[str]:
    of = f"{models.plan.study.by_name[models.method].label}, {result}"
    spread = "one seed" if found.spread is None else f"spread {found.spread:.3f} over {len(found.by_seed)} seeds"
    absent = [name for name in models.modalities if name not in found.present]
    without = f". {' and '.join(absent).capitalize()} missing" if absent else ""
    made = f": {models.plan.study.by_name[models.method].label} generated it" if found.missing else ""
    if found.label is None:
        own = _own_scale(models, found)
        on_it = f" ({own['value']:.3f} on {own['low']:g}..{own['high']:g})" if own else ""
        yield f"{found.value:+.3f} on -3..3{on_it}, {spread} ({of}){without}{made}."
    else:
        yield f"{found.label} with probability {found.value:.3f}, {spread} ({of}){without}{made}."
        yield "classes   " + ", ".join(f"{name} {share:.3f}" for name, share in found.classes.items())
    shares = ", ".join(f"{name} {share:+.3f}" for name, share in found.rests_on.items())
    yield f"rests on  {shares} (Shapley), base {found.base:+.3f}"
    for i, each in enumerate(found.neighbours):
        start = f"nearest real {found.missing}" if i == 0 else ""
        what = json.dumps(each.text, ensure_ascii=False) if found.missing == "text" else each.clip
        yield f"{start:20}  {each.similarity:.3f}  {each.id}  {what}"
    for note in _notes(models, found):
        yield f"Note: {note}"


def _own_scale(models: "Predictor", found: "Prediction") -> dict[str, float] | None:
    """Return a score in the range of the labels that were brought; None if that is -3 to 3."""
    if models.label_range is None:
        return None
    low, high = models.label_range
    return {"value": low + (found.value + 3) / 6 * (high - low), "low": low, "high": high}


def _notes(models: "Predictor", found: "Prediction") -> list[str]:
    return [*models.notes, *([f"the clip was not read: {found.note}"] if found.note else [])]


def _document(models: "Predictor", result: str, found: "Prediction") -> Mapping[str, Any]:
    is_score = found.label is None
    virtual = {"modality": found.missing, "neighbours": [asdict(each) for each in found.neighbours]}
    return {
        "model": {"result": result, "method": models.method},
        "inputs": {name: "given" if name in found.present else "missing" for name in models.modalities},
        "prediction": found.value if is_score else found.label,
        "spread": found.spread,
        "scale": {"low": -3, "high": 3} if is_score else None,
        "own_scale": _own_scale(models, found),
        "classes": None if is_score else found.classes,
        "by_seed": [{"seed": seed, "value": value} for seed, value in found.by_seed.items()],
        "rests_on": {**found.rests_on, "base": found.base},
        "virtual": virtual if found.missing else None,
        "notes": _notes(models, found),
    }


def _print_csv(items: Sequence[Mapping[str, Any]], found: Sequence["Prediction"], models: "Predictor") -> None:
    """Print the rows of a csv with the columns prediction, spread, present, a share a modality, and base."""
    modalities = models.modalities
    is_score = found[0].label is None
    given = list(items[0])
    beside = ["on_own_scale"] * (models.label_range is not None) if is_score else ["probability"]
    added = ["prediction", *beside, "spread", "present"]
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow([*map(printable, given), *added, *(f"rests_on_{name}" for name in modalities), "base"])
    for item, each in zip(items, found, strict=True):
        own = _own_scale(models, each)
        value = [f"{each.value:.6f}"] if each.label is None else [printable(each.label), f"{each.value:.6f}"]
        value += [f"{own['value']:.6f}"] if own else []
        spread = "" if each.spread is None else f"{each.spread:.6f}"
        shares = [f"{each.rests_on[name]:.6f}" if name in each.rests_on else "" for name in modalities]
        known = (printable(item[name]) for name in given)
        row = [*known, *value, spread, "+".join(each.present), *shares, f"{each.base:.6f}"]
        table.writerow(row)
