"""The verb search."""

from pathlib import Path

from trml.base.artifacts import write_text
from trml.cli.common import Json, Words, examples
from trml.cli.composing import Asked
from trml.cli.ending import Code
from trml.cli.output import emit
from trml.cli.running import Cores, DataFolder
from trml.cli.snakemake import workflow


@examples(
    "  trml search                          of the configuration in force\n"
    "  trml search pantomime                12 trials per method on pantomime's dev split\n"
    "  trml search mosi --data ../data"
)
def search(words: Words = None, data: DataFolder = None, cores: Cores = "all", as_json: Json = False) -> int:
    """Select hyper-parameters on the dev split: the same number of trials for each method.

    It trains the trials, writes the selected values to config/chosen, shows them beside the earlier ones, and composes
    params.yaml with them.
    """
    from trml.cli.following import follow
    from trml.cli.training import chosen
    from trml.config.compose import compose

    asked = Asked.of(words or (), data)
    params = asked.write("search")
    code = follow(params, ["searched"], cores, asked.command("search"), workflow(), whole=False, search=True)
    if code:
        return code
    lines = chosen(params)
    write_text(Path("params.yaml"), compose([], Path("config")))
    emit("search", {"params": params, "lines": lines}, [*lines, "wrote params.yaml"], as_json=as_json)
    return Code.DONE
