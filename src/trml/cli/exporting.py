"""The verb export."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trml.base.commands import PARAMS
from trml.base.errors import CommandError
from trml.base.files import not_a_file
from trml.base.progress import say
from trml.cli.common import Json, examples, result_folder, result_names
from trml.cli.output import emit

if TYPE_CHECKING:
    from trml.planning.plan import Plan


@examples(
    "  trml export pantomime_full\n"
    "  trml export pantomime_full --output deposit.zip\n"
    "  trml export pantomime_full --hub trml          a model folder: weights, config.json, model card\n"
    "  trml export pantomime_full --hub trml --cell 0123456789ab   another training, as cells.csv names it"
)
def export(
    result: Annotated[
        str,
        typer.Argument(metavar="RESULT", help="a name below results/", autocompletion=result_names, show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="file or, with --hub, folder to write (default: RESULT.zip, RESULT-METHOD)"),
    ] = None,
    hub: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="write a trained model of this method as model hubs have it"),
    ] = None,
    cell: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="the training to export with --hub (default: see above)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pack published results with all that their page is made from: an archive to deposit.

    `trml run --from ARCHIVE` computes scores, claims and page from it, without training. With --hub, write the folder
    of one trained model instead: the method's training on complete data with the first seed or, of a method that is
    another model for each pattern, the one for the first modality missing.
    """
    from trml.config.load import load
    from trml.planning.bundle import export as run
    from trml.planning.plan import plans
    from trml.report.result_files import altered, in_words

    published = result_folder(result)
    params = published / "params.yaml"
    with _in_force(params):  # so that a message says how to make these results, whatever params.yaml holds
        planned = plans(load(params))
        if hub:
            written = _export_model(planned[0], published, hub, cell, output)
        else:
            written = output or Path(f"{published.resolve().name}.zip")
            if found := altered(published):
                say(f"ATTENTION: {published} is not as its manifest.json says: {in_words(found)}")
            run(planned, published, written)
    emit("export", {"written": str(written), "is_model": bool(hub)}, [str(written)], as_json=as_json)


@contextmanager
def _in_force(params: Path) -> Iterator[None]:
    """Have a configuration in force in a block."""
    before = os.environ.get(PARAMS)
    os.environ[PARAMS] = str(params)
    try:
        yield
    finally:
        os.environ.pop(PARAMS)
        os.environ.update({} if before is None else {PARAMS: before})


def _export_model(plan: "Plan", published: Path, method: str, cell: str | None, output: Path | None) -> Path:
    """Write the folder of one trained model, and return it."""
    from trml.base.artifacts import new_folder
    from trml.features.contract import read_features
    from trml.planning.bibliography import cited, origin_of
    from trml.planning.models import exported_cell
    from trml.report.model_card import licence_of, write_model_card
    from trml.training.model_folder import CONFIG, write_model

    chosen = exported_cell(plan, method, cell)
    target = output or Path(f"{published.resolve().name}-{method}")
    if not_a_file(target) != "is missing":
        raise CommandError(f"{target} exists already. Remove it, or name another folder: --output FOLDER")
    corpus = plan.params.corpus
    parts = [each for each in cited(plan.params) if each.what in (f"method {method}", f"corpus {corpus.name}")]
    bibtex = "\n\n".join(entry for each in parts for entry in each.entries.values())
    with new_folder(target, CONFIG) as folder:
        config = write_model(chosen, read_features(plan.features), folder)
        label = plan.params.methods[method].label
        licence = licence_of(published, corpus.name)
        write_model_card(folder, config, published, label, licence, origin_of(corpus).terms, bibtex)
    return target
