"""Verbs that take in what others made: submit, merge."""

import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trml.base.commands import remake_published
from trml.base.errors import CommandError, DataMissing
from trml.base.printable import one_line, shortened
from trml.cli.common import Json, examples, result_folder, result_names
from trml.cli.output import emit

if TYPE_CHECKING:
    from trml.evaluation.config import Card

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@examples(
    "  trml submit my_model --to pantomime_full --dry-run   check only\n"
    '  trml submit my_model --to pantomime_full --as "My model"'
)
def submit(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="card.yaml and predictions.parquet or .csv")],
    to: Annotated[
        str | None,
        typer.Option(metavar="RESULT", help="a name below results/ (default: as in show)", autocompletion=result_names),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="the method's name in tables (default: the card's)")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check, and add nothing")] = False,
    replace_it: Annotated[bool, typer.Option("--replace", help="replace a submission of the same name")] = False,
    as_json: Json = False,
) -> None:
    """Check predictions of your own code and put them beside the methods of an experiment.

    FOLDER has card.yaml and predictions.parquet or .csv, as docs/submitting.md says. They are copied to submissions/,
    and become a row of the tables and claim S1 when the experiment is next evaluated. Nothing is trained for that.
    """
    import yaml

    from trml.config.load import load
    from trml.evaluation.config import SUBMISSIONS
    from trml.evaluation.contract import PUBLISHED, REFERENCES
    from trml.evaluation.submissions import Protocol, read_submission
    from trml.report.result_files import protocol_of, utterances_of

    result = result_folder(to)
    published = result / PUBLISHED
    if not published.is_dir():
        raise DataMissing(f"{result} has no {PUBLISHED}/, which says what predictions must fit. Make it again first")
    protocol, ids = Protocol(**protocol_of(result)), utterances_of(result)["utterance_id"].to_list()
    name = re.sub(r"\W+", "_", (label or folder.resolve().name).lower()).strip("_")
    taken = {*REFERENCES, *load(result / "params.yaml").methods, "constant", "ceiling", "oracle"}
    if not _NAME.fullmatch(name) or name in taken:
        raise CommandError(f"{name!r} is a method of {result.name} or no name; choose another: --as NAME")
    submission = read_submission(folder, protocol, ids)
    conditions = len(protocol.trained) if "" in submission.by_trained else len(submission.by_trained)
    card = yaml.safe_dump(vars(labelled(submission.card, label)), sort_keys=False, allow_unicode=True)
    seeds = f"{len(protocol.seeds)} seeds"
    accepted = f"{len(ids)} utterances, {seeds}, {conditions} of {len(protocol.trained)} training conditions"
    about = {"name": name, "result": result.name, "utterances": len(ids), "seeds": len(protocol.seeds)}
    again = remake_published(result.name)
    if dry_run:
        about |= {"added": False, "command": None}
        emit("submit", about, [f"Valid: {accepted}. Nothing was added"], as_json=as_json)
        return
    target = SUBMISSIONS / result.name / name
    if target.exists() and not replace_it:
        raise CommandError(f"{target} exists. Submit under another name (--as NAME), or replace it: --replace")
    _copy(folder, target, card)
    lines = [f"Accepted: {accepted}. Make tables and claims again, without training:", f"  {again}"]
    emit("submit", about | {"added": True, "command": again}, lines, as_json=as_json)


def labelled(card: "Card", label: str | None) -> "Card":
    """Return a card with another label. Raises CommandError if no card may have it."""
    from pydantic import ValidationError

    if label is None:
        return card
    try:
        found = replace(card, label=label)
    except ValidationError as error:
        raise CommandError(f"--as {shortened(label)}: {error.errors()[0]['msg']}; expected a name for tables") from None
    if one_line(label) != label:
        raise CommandError(f"--as {shortened(label)} has characters that are not printed; expected a name for tables")
    return found


def _copy(folder: Path, target: Path, card: str) -> None:
    """Copy a submission into place: nothing but its card and predictions."""
    from trml.evaluation.config import CARD
    from trml.evaluation.submissions import predictions_file

    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    file = predictions_file(folder)
    shutil.copyfile(file, target / file.name)
    (target / CARD).write_text(card)


@examples("  trml merge ../machine_b            another clone\n  trml merge b.zip c.zip")
def merge(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE ...", help="clone, work folder or archive")],
    as_json: Json = False,
) -> None:
    """Bring trainings of other runs or machines into work/, so that one experiment can be made of them.

    A SOURCE is the folder of another clone, its work/, or an archive of `trml export`. What several have, a training of
    the same recipe with other predictions, is kept as the last one has it, and listed.
    """
    from trml.planning.merging import merge as run

    lines, merged = [], []
    for source in sources:
        found = run(source)
        merged.append({"source": str(source), **asdict(found)})
        lines.append(f"{source}: {found.cells} trainings, {found.folders} other folders new here")
        lines += [f"  {name} was here with other content; now as {source} has it" for name in found.replaced]
    emit("merge", {"merged": merged}, lines, as_json=as_json)
