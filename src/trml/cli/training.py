"""Verbs on trainings: train, search."""

import argparse
from pathlib import Path

from trml.base.commands import run_again
from trml.base.errors import TrmlError
from trml.cli.common import Verbs, add_params, add_verb, device_of, plans_of


def train(arguments: argparse.Namespace) -> None:
    """Train the cells of a block that are not done yet. Run by the workflow."""
    blocks = {
        name: (plan, block)
        for plan in plans_of(arguments)
        for name, block in {**plan.search_blocks, **plan.blocks}.items()
    }
    if arguments.block not in blocks:
        raise TrmlError(
            f"block {arguments.block} is not in {arguments.params}; `trml plan` lists the blocks. If you edited "
            f"configuration or source during a run, resume with: {run_again()}"
        )
    plan, block = blocks[arguments.block]
    device = device_of(plan)
    from trml.planning.handover import block_job
    from trml.training.worker import train_block

    train_block(block_job(plan, block), device)


def search(arguments: argparse.Namespace) -> None:
    """Choose each method's options on the dev split, and write them to config/chosen.

    Run `make search`: it trains the trials first.
    """
    from trml.base.artifacts import write_text
    from trml.base.yaml_reader import read_yaml
    from trml.planning.plan import searched
    from trml.planning.trials import chosen_yaml
    from trml.training.selection import against, choose

    for plan in searched(plans_of(arguments)):
        path = Path("config/chosen") / f"{plan.params.corpus.name}-{plan.params.encoder.name}.yaml"
        earlier = read_yaml(path) if path.exists() else None
        write_text(path, chosen_yaml(plan.params, choose(plan.trials)))
        for line in against(plan.trials, earlier or {}):
            print(line)
        print(f"wrote {path}; put it in force with: trml compose")


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    verb = add_verb(verbs, train)
    add_params(verb)
    verb.add_argument("--block", required=True, metavar="NAME", help="the block, as `trml plan` names it")
    add_params(add_verb(verbs, search))
