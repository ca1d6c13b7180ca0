"""How long each verb of the command line takes until it starts to work.

The wall time of `trml VERB --help`, and of a python that imports the command line and what the verb runs ("imports").
Medians of three; "(nothing)" is a python that imports nothing.
"""

from collections.abc import Iterator
from statistics import median

from benchmarks import child
from benchmarks.row import Row
from benchmarks.timing import Action, in_turn
from trml.cli.main import parser

ROUNDS, NOTHING = 3, "(nothing)"
IMPORTS = {
    "compose": "trml.config.load, hydra, omegaconf",
    "schema": "trml.config.load",
    "plan": "trml.planning.plan",
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
    verbs = ["compose", "train"] if quick else _verbs()
    actions = {f"{NOTHING}: imports": _action("-c", "pass")}
    for verb in verbs:
        actions[f"{verb}: --help"] = _action("-m", "trml", verb, "--help")
        if verb in IMPORTS:
            actions[f"{verb}: imports"] = _action("-c", f"import trml.cli, {IMPORTS[verb]}")
    for name, taken in in_turn(actions, 1 if quick else ROUNDS).items():
        case, _, quantity = name.partition(": ")
        yield Row(case, quantity, median(taken), "s")


def _verbs() -> list[str]:
    """Return the names of all verbs, as the parser knows them."""
    actions = parser()._subparsers._group_actions  # type: ignore[union-attr]
    return list(actions[0].choices or ())


def _action(*arguments: str) -> Action:
    return lambda: child.python(*arguments)
