"""Verbs on the configuration and on what of work/ belongs to it: compose, schema, plan, gc."""

import argparse
import json
from pathlib import Path

from trml.base.errors import TrmlError
from trml.cli.common import Verbs, add_config, add_params, add_verb, agreed, plans_of, remove


def compose(arguments: argparse.Namespace) -> None:
    """Write a configuration file from config/ and overrides, check it, and say what its run can find out."""
    from trml.base.artifacts import write_text
    from trml.config.compose import compose as compose_text
    from trml.config.load import load
    from trml.evaluation.foreseen import detectable_words
    from trml.planning.size_of_test import size_of_test

    write_text(arguments.output, compose_text(arguments.overrides, arguments.config))
    print(f"wrote {arguments.output}")
    params = load(arguments.output)
    size = size_of_test(params)
    if size is not None:
        print(detectable_words(size.task, size.groups, size.utterances, [len(params.protocol.seeds)]))


def schema(arguments: argparse.Namespace) -> None:
    """Print the JSON schema of params.yaml, for editors that check it."""
    from trml.config.load import json_schema

    print(json.dumps(json_schema(), indent=1))


def plan(arguments: argparse.Namespace) -> None:
    """List everything the configuration needs and whether it is done."""
    from trml.training.store import is_done

    shown: set[Path | None] = set()  # datasets share corpora, encoders and features

    def show(what: str, path: Path | None, done: bool, words: str = "") -> None:
        if path is not None and path in shown:
            return
        shown.add(path)
        print(f"{what:10} {path or 'none to train'}{words}{'' if path is None else ' (done)' if done else ' (to do)'}")

    for each in plans_of(arguments):
        for what, path in [("corpus", each.corpus), ("encoder", each.encoder), ("features", each.features)]:
            show(what, path, path is not None and path.is_dir())
        for block in each.blocks.values():
            trained = sum(map(is_done, block.cells))
            show("block", block.done, block.done.is_file(), f" {trained}/{len(block.cells)} cells")
        for what, path in [("evaluation", each.evaluation), ("probes", each.probes), ("results", each.results)]:
            if path is not None:
                show(what, path, path.is_dir())


def gc(arguments: argparse.Namespace) -> None:
    """Remove from work/ what neither the configuration nor published results need, or set aside what is not in force.

    It lists paths with their sizes, and asks. What results/ were made from stays.
    """
    from trml.planning.attic import aside, is_among, rested_on, set_aside, size, unreachable

    work, plans = Path("work"), plans_of(arguments)
    for each in plans:
        if each.unfetched:
            raise TrmlError(
                f"raw files of {each.params.corpus.name} are absent from {each.params.data}, so the names of what was "
                "made from them are unknown. Bring the files back (trml fetch), or use another configuration"
            )
    paths = unreachable(plans, arguments.only, work)
    if arguments.aside:
        for path in paths:
            print(f"{'would set aside' if arguments.dry_run else 'set aside'} {path}")
            if not arguments.dry_run:
                set_aside(path, work)
        return
    needed = rested_on()
    paths += [] if arguments.only else aside(work)
    paths = [path for path in paths if not is_among(path, needed)]
    total = 0
    for path in paths:
        total += size(path)
        print(f"{size(path) / 1e6:10.1f} MB  {path}")
    words = f"{len(paths)} paths, {total / 1e6:.1f} MB"
    if arguments.dry_run or not paths:
        print(f"would remove {words}" if paths else "nothing to remove")
        return
    if not arguments.yes and not agreed(f"Remove {words}?"):
        raise TrmlError(f"nothing was removed. To remove {words} without a question: trml gc --yes")
    for path in paths:
        remove(path)
    print(f"removed {words}")


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    verb = add_verb(
        verbs,
        compose,
        "  trml compose                                  write params.yaml\n"
        "  trml compose protocol.seeds=[2020,2021]       with two seeds\n"
        "  trml compose experiment=mosi data=../data --output work/params/mosi.yaml",
    )
    verb.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="values to change, in Hydra's syntax")
    add_config(verb)
    output = Path("params.yaml")
    verb.add_argument(
        "--output", type=Path, default=output, metavar="FILE", help="file to write (default: params.yaml)"
    )
    add_verb(verbs, schema)
    add_params(add_verb(verbs, plan, "  trml plan\n  trml plan --params work/params/mosi.yaml"))
    verb = add_verb(
        verbs,
        gc,
        "  trml gc --dry-run                 what would be removed, with sizes\n"
        "  trml gc --aside --only cells      keep unused cells in work/attic, where they are found again",
    )
    add_params(verb)
    verb.add_argument("--dry-run", action="store_true", help="list only; change nothing")
    verb.add_argument("--aside", action="store_true", help="move to work/attic instead of removing")
    verb.add_argument("--yes", action="store_true", help="remove without a question")
    verb.add_argument(
        "--only", nargs="+", default=(), metavar="FOLDER", help="folders of work/ to look in (default: all)"
    )
