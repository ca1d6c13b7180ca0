"""What verbs share: their arguments, the plans of the configuration in force, and the device."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trml.base.commands import params_file
from trml.base.errors import DataMissing, TrmlError

if TYPE_CHECKING:
    import torch

    from trml.planning.plan import Plan

CHECKOUT = Path(__file__).parents[3]  # the repository, unless the package is installed without one
Verbs = argparse._SubParsersAction  # the parsers that verbs are added to
Kind = Literal["corpus", "encoder", "features", "references", "probes", "evaluation", "results"]  # folders of a plan


def add_verb(
    verbs: "Verbs[argparse.ArgumentParser]",
    run: Callable[[argparse.Namespace], None],
    examples: str = "",
) -> argparse.ArgumentParser:
    """Add a verb named like its function, whose docstring is its help, and return its parser."""
    summary = (run.__doc__ or "").strip()
    verb = verbs.add_parser(
        run.__name__,
        help=summary.splitlines()[0],
        description=summary,
        epilog=examples and f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.set_defaults(run=run)
    return verb


def add_params(verb: argparse.ArgumentParser) -> None:
    """Add `--params`."""
    words = "configuration to use (default: the environment variable TRML_PARAMS, else params.yaml)"
    verb.add_argument("--params", default=params_file(), metavar="FILE", help=words)


def add_folder(verb: argparse.ArgumentParser, kind: Kind) -> None:
    """Add `--params` and `--folder`, for a verb that makes a folder of work/."""
    add_params(verb)
    words = f"{kind} folder of work/ to make, as `trml plan` names it (default: that of the experiment's own dataset)"
    verb.add_argument("--folder", type=Path, metavar="FOLDER", help=words)
    verb.set_defaults(kind=kind)


def add_config(verb: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    words = "folder of configurations (default: config)"
    verb.add_argument("--config", type=Path, default=Path("config"), metavar="FOLDER", help=words)


def plans_of(arguments: argparse.Namespace) -> "list[Plan]":
    """Return the plans of the configuration in force, the experiment's own first."""
    from trml.config.load import load
    from trml.planning.plan import plans

    return plans(load(arguments.params))


def plan_of(arguments: argparse.Namespace) -> "Plan":
    """Return the plan that names the folder which was asked for; without one, the experiment's own plan.

    Raises:
        TrmlError: If no plan names the folder.
    """
    plans = plans_of(arguments)
    if arguments.folder is None:
        return plans[0]
    folders = [getattr(plan, arguments.kind) for plan in plans]
    if arguments.folder not in folders:
        known = ", ".join(str(folder) for folder in folders if folder) or "none"
        raise TrmlError(f"{arguments.folder} is no {arguments.kind} folder of {arguments.params}; known are {known}")
    return plans[folders.index(arguments.folder)]


def device_of(plan: "Plan") -> "torch.device":
    """Set this process up for what the plan computes on, and return the device."""
    os.environ.update(plan.compute.environment)  # before torch is imported
    from trml.device import set_up

    return set_up(plan.compute.device, plan.compute.threads, plan.compute.portable)


def result_folder(result: str | None) -> Path:
    """Return the folder of results that a name or a path means; without one, the only one in results/.

    Raises:
        DataMissing: If there is none.
    """
    names = sorted(path.parent.name for path in Path("results").glob("*/manifest.json"))
    known = ", ".join(names) or "none"
    if result is None:
        if len(names) != 1:
            raise DataMissing(f"which results? results/ has {known}; name one")
        result = names[0]
    for path in (Path("results") / result, Path(result)):
        if (path / "manifest.json").is_file():
            return path
    raise DataMissing(f"there are no results {result}: results/ has {known}")


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def agreed(question: str) -> bool:
    """Ask on a terminal; return whether the answer is yes. Without a terminal it is no."""
    return sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
