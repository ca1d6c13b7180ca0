"""How long each verb of the command line takes until it starts to work.

The wall time of `trml VERB --help`, and of a python that imports the command line and what the verb runs ("imports").
Medians of three; "(nothing)" is a python that imports nothing.
"""

from collections.abc import Iterator
from statistics import median

from benchmarks import child
from benchmarks.row import Row
from benchmarks.timing import Action, in_turn
from trml.cli.verbs import VERBS

ROUNDS, NOTHING = 3, "(nothing)"
IMPORTS = {
    "compose": "trml.config.load, hydra, omegaconf",
    "schema": "trml.config.load",
    "status": "trml.planning.progress",
    "show": "trml.report.show",
    "compare": "trml.report.compare",
    "corpus": "trml.corpora.pantomime.build",
    "pretrain": "trml.features.encoders.tiny_clip.pretrain",
    "encode": "trml.features.encode",
    "features": "trml.features.gather",
    "train": "trml.training.worker",
    "probe": "trml.evaluation.probing.probe",
    "evaluate": "trml.evaluation.evaluate",
    "report": "trml.report.build",
    "publish": "trml.report.publish",
    "gc": "trml.planning.attic",
}


def measure(quick: bool) -> Iterator[Row]:
    """Every verb; one that is not in IMPORTS is measured by its help alone."""
    verbs = ["compose", "train"] if quick else list(VERBS)
    actions = {f"{NOTHING}: imports": _action("-c", "pass"), "trml: --help": _action("-m", "trml", "--help")}
    for verb in verbs:
        actions[f"{verb}: --help"] = _action("-m", "trml", verb, "--help")
        if verb in IMPORTS:
            actions[f"{verb}: imports"] = _action("-c", f"import trml.cli, {IMPORTS[verb]}")
    for name, taken in in_turn(actions, 1 if quick else ROUNDS).items():
        case, _, quantity = name.partition(": ")
        yield Row(case, quantity, median(taken), "s")


def _action(*arguments: str) -> Action:
    return lambda: child.python(*arguments)
