"""Verbs that take in what others made: submit, merge."""

import argparse
import re
import shutil
from dataclasses import replace
from pathlib import Path

from trml.base.errors import TrmlError
from trml.cli.common import Verbs, add_verb, result_folder

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def submit(arguments: argparse.Namespace) -> None:
    """Check predictions of your own code and put them beside the methods of an experiment.

    FOLDER has card.yaml and predictions.parquet or .csv, as docs/submitting.md says. They are copied to submissions/,
    and become a row of the tables and claim S1 when the experiment is next evaluated. Nothing is trained for that.
    """
    import polars as pl
    import yaml

    from trml.base.artifacts import read_json
    from trml.config.load import load
    from trml.evaluation.config import SUBMISSIONS
    from trml.evaluation.contract import LABELLED, PUBLISHED, REFERENCES
    from trml.evaluation.submissions import Protocol, read_submission

    result = result_folder(arguments.to)
    published = result / PUBLISHED
    if not published.is_dir():
        raise TrmlError(f"{result} has no {PUBLISHED}/, which says what predictions must fit. Make it again first")
    protocol = Protocol(**read_json(published / "protocol.json"))
    ids = pl.read_parquet(published / LABELLED)["utterance_id"].to_list()
    name = re.sub(r"\W+", "_", (arguments.label or arguments.folder.resolve().name).lower()).strip("_")
    taken = {*REFERENCES, *load(result / "params.yaml").methods, "constant", "ceiling", "oracle"}
    if not _NAME.fullmatch(name) or name in taken:
        raise TrmlError(f"{name!r} is a method of {result.name} or no name; choose another: --as NAME")
    submission = read_submission(arguments.folder, protocol, ids)
    conditions = len(protocol.trained) if "" in submission.by_trained else len(submission.by_trained)
    seeds = f"{len(protocol.seeds)} seeds"
    accepted = f"{len(ids)} utterances, {seeds}, {conditions} of {len(protocol.trained)} training conditions"
    if arguments.dry_run:
        print(f"Valid: {accepted}. Nothing was added")
        return
    target = SUBMISSIONS / result.name / name
    if target.exists() and not arguments.replace:
        raise TrmlError(f"{target} exists. Submit under another name (--as NAME), or replace it: --replace")
    card = replace(submission.card, label=arguments.label or submission.card.label)
    _copy(arguments.folder, target, yaml.safe_dump(vars(card), sort_keys=False, allow_unicode=True))
    print(f"Accepted: {accepted}. Make tables and claims again, without training:")
    print(f"  snakemake --cores all --config params={result / 'params.yaml'}")


def _copy(folder: Path, target: Path, card: str) -> None:
    """Copy a submission into place: nothing but its card and predictions."""
    from trml.evaluation.config import CARD
    from trml.evaluation.submissions import predictions_file

    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    file = predictions_file(folder)
    shutil.copyfile(file, target / file.name)
    (target / CARD).write_text(card)


def merge(arguments: argparse.Namespace) -> None:
    """Bring trainings of other runs or machines into work/, so that one experiment can be made of them.

    A SOURCE is the folder of another clone, its work/, or an archive of `trml export`. What several have, a training of
    the same recipe with other predictions, is kept as the last one has it, and listed.
    """
    from trml.planning.merging import merge as run

    for source in arguments.sources:
        merged = run(source)
        print(f"{source}: {merged.cells} trainings, {merged.folders} other folders new here")
        for name in merged.replaced:
            print(f"  {name} was here with other content; now as {source} has it")


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    verb = add_verb(
        verbs,
        submit,
        "  trml submit my_model --to pantomime_full --dry-run   check only\n"
        '  trml submit my_model --to pantomime_full --as "My model"',
    )
    verb.add_argument("folder", type=Path, metavar="FOLDER", help="card.yaml and predictions.parquet or .csv")
    verb.add_argument("--to", metavar="RESULT", help="a name below results/ (default: the only one)")
    verb.add_argument("--as", dest="label", metavar="NAME", help="the method's name in tables (default: the card's)")
    verb.add_argument("--dry-run", action="store_true", help="check, and add nothing")
    verb.add_argument("--replace", action="store_true", help="replace a submission of the same name")
    verb = add_verb(verbs, merge, "  trml merge ../machine_b            another clone\n  trml merge b.zip c.zip")
    verb.add_argument("sources", type=Path, nargs="+", metavar="SOURCE", help="clone, work folder or archive")
