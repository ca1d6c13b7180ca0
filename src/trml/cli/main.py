"""The `trml` command: one function a verb, each a thin shell around the library.

Verbs import what they run inside, so that `trml compose` and `--help` start without torch.
"""

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trml import __version__
from trml.base.commands import run_again
from trml.base.errors import TrmlError

if TYPE_CHECKING:
    import torch

    from trml.planning.plan import Plan


def compose(arguments: argparse.Namespace) -> None:
    """Compose config/ and the overrides into a configuration file, checked."""
    from trml.base.artifacts import write_text
    from trml.config.compose import compose as compose_text

    write_text(arguments.output, compose_text(arguments.overrides, arguments.config))
    print(f"wrote {arguments.output}")


def schema(arguments: argparse.Namespace) -> None:
    """Print the JSON schema of params.yaml."""
    from trml.config.load import json_schema

    print(json.dumps(json_schema(), indent=1))


def check(arguments: argparse.Namespace) -> None:
    """Say what is wrong with a folder of data, line by line, and which command comes next."""
    from trml.corpora.checking.check import check as run
    from trml.corpora.checking.user_table import Stated

    columns = {role: name or None for role, _, name in (given.partition("=") for given in arguments.column)}
    stated = Stated(arguments.table, columns, arguments.seed, arguments.label_range, arguments.classes)
    lines, sound = run(arguments.folder, stated, arguments.config)
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:  # into `head`, which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not sound:
        sys.exit(1)


def plan(arguments: argparse.Namespace) -> None:
    """Show every folder of the configuration in force and whether it is there."""
    from trml.training.contract import is_done

    for p in _plans(arguments):
        for what, path in [("corpus", p.corpus), ("encoder", p.encoder), ("features", p.features)]:
            print(f"{what:10} {path or 'none of our own'} {'' if path is None else _state(path.is_dir())}")
        for block in p.blocks.values():
            done = sum(is_done(p, cell) for cell in block.cells)
            print(f"{'block':10} {block.path} {done}/{len(block.cells)} cells {_state(block.path.is_file())}")
        print(f"{'results':10} {p.results} {_state(p.results.is_dir())}")


def accept(arguments: argparse.Namespace) -> None:
    """Accept the terms of a corpus, once; without a name, list them."""
    from trml.config.load import load
    from trml.sources.fetching.terms import accept as run
    from trml.sources.fetching.terms import is_accepted, known_terms

    in_force = Path(arguments.params)
    data = arguments.data or Path(load(in_force).data if in_force.is_file() else "data")
    if arguments.name is None:
        for terms in known_terms(arguments.config).values():
            print(f"{terms.name:10} {'(accepted)' if is_accepted(terms, data) else '(not accepted)'}\n{terms.text}\n")
        return
    terms = run(arguments.name, data, arguments.config)
    print(f"{terms.text}\n{terms.url}\naccepted; recorded in {data / 'terms.json'}")


def fetch(arguments: argparse.Namespace) -> None:
    """Fetch the files of the corpora of the configuration in force, and unpack them."""
    from trml.config.load import load
    from trml.sources.fetching.config import FetchedCorpus
    from trml.sources.fetching.fetch import fetch as run
    from trml.sources.fetching.fetch import steps

    params = load(arguments.params)
    corpora = [p.corpus for p in params.each().values() if isinstance(p.corpus, FetchedCorpus)]
    if arguments.corpus:
        corpora = [config for config in corpora if config.name == arguments.corpus]
    if not corpora and arguments.corpus:
        raise TrmlError(f"{arguments.params} has no corpus {arguments.corpus} that is fetched")
    if not corpora:
        print(f"{arguments.params} has no corpus that is fetched. Of another configuration: --params FILE")
    for config in corpora:
        if arguments.dry_run:
            print("\n".join(steps(config, Path(params.data))))
        else:
            run(config, Path(params.data), params.accept_terms, arguments.offline)


def corpus(arguments: argparse.Namespace) -> None:
    """Generate the corpus, or bring a raw one into the common form."""
    from trml.base.artifacts import new_folder
    from trml.corpora.registry import build_corpus

    p = _plan(arguments, lambda p: p.corpus)
    with new_folder(p.corpus, "corpus.json") as folder:
        build_corpus(p.params.corpus, Path(p.params.data), folder, p.corpus.name, arguments.threads)


def pretrain(arguments: argparse.Namespace) -> None:
    """Pretrain the experiment's own encoder on the corpus's pairs."""
    from trml.base.artifacts import new_folder
    from trml.features.encoders.tiny_clip.config import TinyClipEncoder
    from trml.features.encoders.tiny_separate.config import TinySeparateEncoder

    p, device = _plan(arguments, lambda p: p.encoder), _device(arguments)
    config = p.params.encoder
    if p.encoder is None:
        raise TrmlError(f"encoder {config.name} is not pretrained by the workflow; nothing to do")
    data = Path(p.params.data)
    with new_folder(p.encoder, "encoder.json") as folder:
        if isinstance(config, TinyClipEncoder):
            from trml.features.encoders.tiny_clip.pretrain import pretrain as run

            run(config, p.corpus, data, folder, p.params.seed, device)
        elif isinstance(config, TinySeparateEncoder):
            from trml.features.encoders.tiny_separate.pretrain import pretrain_separate

            pretrain_separate(config, p.corpus, data, folder, p.params.seed, device)


def encode(arguments: argparse.Namespace) -> None:
    """Encode a shard of the corpus's text and frames."""
    p, device = _plan(arguments, lambda p: p.features), _device(arguments)
    from trml.base.artifacts import write_json
    from trml.features.encode import encode_shard
    from trml.features.encoders.given.config import GivenEncoder

    part, _, of = arguments.shard.partition("-of-")
    if not (part.isdigit() and of.isdigit() and 1 <= int(part) <= int(of)):
        raise TrmlError(f"shard {arguments.shard} is no part; expected one such as 2-of-8")
    config = p.params.encoder
    if isinstance(config, GivenEncoder):
        raise TrmlError(f"corpus {p.params.corpus.name} brings its features; there is nothing to encode")
    data, shard = Path(p.params.data), (int(part) - 1, int(of))
    encode_shard(config, p.corpus, data, p.encoder, p.chunks, shard, device)
    write_json(p.chunks / f"{arguments.shard}.json", {"features": p.features.name})


def features(arguments: argparse.Namespace) -> None:
    """Gather what the shards have encoded, or take the features that the corpus brings."""
    p = _plan(arguments, lambda p: p.features)
    from trml.base.artifacts import new_folder
    from trml.features.encoders.given.config import GivenEncoder
    from trml.features.gather import gather
    from trml.features.given import take_given

    config = p.params.encoder
    with new_folder(p.features, "features.json") as folder:
        if isinstance(config, GivenEncoder):
            take_given(p.corpus, folder, p.features.name)
        else:
            gather(config, p.corpus, p.encoder, p.chunks, folder, p.features.name)
    _remove(p.chunks)


def train(arguments: argparse.Namespace) -> None:
    """Train the cells of a block that the store does not hold yet."""
    found = {name: (p, block) for p in _plans(arguments) for name, block in {**p.blocks, **p.search_blocks}.items()}
    if arguments.block not in found:
        raise TrmlError(
            f"block {arguments.block} is not one of this configuration and source (edited while a run was at work?); "
            "`trml plan` shows those that are. Go on with: snakemake --cores all"
        )
    device = _device(arguments)
    from trml.training.worker import train_block

    train_block(*found[arguments.block], device)


def search(arguments: argparse.Namespace) -> None:
    """Show the search on dev, whose trainings `snakemake searched` makes, and write what it chose to config/chosen."""
    from trml.base.artifacts import write_text
    from trml.planning.plan import searched
    from trml.training.selection import choose, show

    for p in searched(_plans(arguments)):
        path = Path("config/chosen") / f"{p.params.corpus.name}-{p.params.encoder.name}.yaml"
        write_text(path, show(p, choose(p)))
        print(f"wrote {path}; put it in force with: trml compose")


def evaluate(arguments: argparse.Namespace) -> None:
    """Score every cell, with intervals, and decide the claims."""
    from trml.base.artifacts import new_folder
    from trml.evaluation.evaluate import evaluate as run

    p = _plan(arguments, lambda p: p.evaluation)
    with new_folder(p.evaluation, "claims.json") as folder:
        run(p, folder)


def analyse(arguments: argparse.Namespace) -> None:
    """Look at the virtual modalities of the proposed method, and at single utterances."""
    p, device = _plan(arguments, lambda p: p.analysis), _device(arguments)
    from trml.base.artifacts import new_folder
    from trml.evaluation.probing.probe import analyse as run

    with new_folder(p.analysis, "analysis.json") as folder:
        run(p, folder, device)


def report(arguments: argparse.Namespace) -> None:
    """Make tables, figures, the page and the manifest from the evaluation and the analysis."""
    from trml.base.artifacts import new_folder
    from trml.report.build import build

    p = _plan(arguments, lambda p: p.results)
    with new_folder(p.results, "manifest.json") as folder:
        build(p, folder)


def publish(arguments: argparse.Namespace) -> None:
    """Copy the finished results to results/<experiment>."""
    from trml.report.publish import publish as run

    run(_plan(arguments, lambda p: p.results), Path("results"))


def gc(arguments: argparse.Namespace) -> None:
    """Remove from work/ what the configuration in force cannot reach, or set it aside."""
    from trml.planning.attic import ATTIC, set_aside, unreachable

    work, found = Path("work"), _plans(arguments)
    for p in found:
        if p.unfetched:
            raise TrmlError(
                f"the raw files of {p.params.corpus.name} are not in {p.params.data}, so what of work/ belongs to it "
                "is not known; bring them back, or run it with another configuration"
            )
    paths = unreachable(found, arguments.only, work)
    if not arguments.aside and not arguments.only:
        paths += [path for path in [work / ATTIC] if path.is_dir()]
    for path in paths:
        print(f"{'would clear' if arguments.dry_run else 'cleared'} {path}")
        if arguments.aside and not arguments.dry_run:
            set_aside(path, work)
        elif not arguments.dry_run:
            _remove(path)


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _plans(arguments: argparse.Namespace) -> "list[Plan]":
    from trml.config.load import load
    from trml.planning.plan import plans

    return plans(load(arguments.params))


def _plan(arguments: argparse.Namespace, folder: "Callable[[Plan], Path | None]") -> "Plan":
    """The plan that has the folder which was asked for, else the first."""
    found = _plans(arguments)
    if arguments.folder is None:
        return found[0]
    for p in found:
        if folder(p) == arguments.folder:
            return p
    known = ", ".join(str(folder(p)) for p in found)
    raise TrmlError(f"{arguments.folder} is not in this configuration; known are {known}")


def _device(arguments: argparse.Namespace) -> "torch.device":
    """The device to run on, with this process set up for it."""
    from trml.cli.device import set_up
    from trml.config.load import load

    return set_up(load(arguments.params).device, arguments.threads)


def _state(there: bool) -> str:
    return "(there)" if there else "(to be made)"


_DESCRIPTION = "A benchmark of sentiment from text and video when one of the two is missing."

_EXAMPLES = """examples:
  trml compose                                   write params.yaml from config/
  trml compose protocol.seeds=[2020,2021]        with two seeds
  trml compose experiment=mosi data=../data --output work/params/mosi.yaml
  trml plan                                      what is there and what is to be made
  trml gc --dry-run                              what of work/ the configuration no longer needs

`make results` or `snakemake --cores all` run the verbs in order."""

_EXAMPLES_OF = {
    "accept": """examples:
  trml accept                   the terms there are, and which are accepted
  trml accept meld              accept those of MELD
  trml accept mosi --data ../data""",
    "fetch": """examples:
  trml compose experiment=meld data=../data && trml fetch --dry-run
  trml fetch                    after a break it goes on with the same words
  TRML_OFFLINE=1 trml fetch     check and unpack what was brought""",
}

_PARAMS_HELP = "configuration in force (the variable TRML_PARAMS, else params.yaml)"

_VERBS: dict[str, Callable[[argparse.Namespace], None]] = {
    f.__name__: f
    for f in (
        *(compose, schema, accept, check, fetch, plan, corpus, pretrain, encode, features),
        *(train, search, evaluate, analyse, report, publish, gc),
    )
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trml",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"trml {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, function in _VERBS.items():
        summary = (function.__doc__ or "").strip()
        verb = verbs.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=_EXAMPLES_OF.get(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == "compose":
            verb.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="Hydra overrides")
            verb.add_argument("--config", type=Path, default=Path("config"), help="folder to compose from (config)")
            verb.add_argument("--output", type=Path, default=Path("params.yaml"), help="file to write (params.yaml)")
        elif name == "check":
            verb.add_argument("folder", type=Path, metavar="FOLDER", help="a table and media, or a known raw corpus")
            verb.add_argument("--table", metavar="NAME", help="the table (utterances.csv, or the only one there is)")
            verb.add_argument(
                "--column",
                action="append",
                default=[],
                metavar="ROLE=NAME",
                help="as in label=sentiment; no name: none",
            )
            verb.add_argument("--seed", type=int, help="of the split, where the table has none")
            verb.add_argument(
                "--label-range", type=float, nargs=2, default=[], metavar=("LOW", "HIGH"), help="what numbers may be"
            )
            verb.add_argument("--classes", nargs="+", default=[], metavar="LABEL", help="the classes, in their order")
            verb.add_argument("--config", type=Path, default=Path("config"), help="the folder config/ (config)")
        elif name != "schema":
            verb.add_argument("--params", default=os.environ.get("TRML_PARAMS", "params.yaml"), help=_PARAMS_HELP)
            verb.add_argument("--threads", type=int, default=1, help="threads to use (1)")
        if name in ("corpus", "pretrain", "encode", "features", "evaluate", "analyse", "report", "publish"):
            verb.add_argument(
                "--folder", type=Path, help="which folder of work/ to make, as `trml plan` shows it (the first)"
            )
        if name == "encode":
            verb.add_argument("--shard", default="1-of-1", metavar="I-of-N", help="which part of the chunks (all)")
        if name == "accept":
            verb.add_argument("name", nargs="?", metavar="NAME", help="of the terms, as in config/corpus/ (lists them)")
            verb.add_argument("--data", type=Path, help="folder of corpora (that of the configuration, else data)")
            verb.add_argument("--config", type=Path, default=Path("config"), help="folder of configurations (config)")
        if name == "fetch":
            verb.add_argument(
                "--offline", action="store_true", help="fetch nothing; say what is missing, unpack the rest"
            )
            verb.add_argument("--dry-run", action="store_true", help="only say what would be fetched and unpacked")
            verb.add_argument("--corpus", metavar="NAME", help="only this one (all of the configuration)")
        if name == "train":
            verb.add_argument("--block", required=True, help="name of the block, as `trml plan` shows it")
        if name == "gc":
            verb.add_argument("--dry-run", action="store_true", help="only say what would be cleared")
            verb.add_argument("--aside", action="store_true", help="keep it in work/attic, where it is found again")
            verb.add_argument(
                "--only", nargs="+", default=(), metavar="FOLDER", help="folders of work/ to look in (all)"
            )
    return parser


def main(argv: list[str] | None = None) -> None:
    """Entry point: errors a user can mend end in their message and exit code 1."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGINT, _stop)
    sys.path.append(os.getcwd())  # noqa: PTH109  a third party's method may lie beside the project
    try:
        _VERBS[arguments.verb](arguments)
    except TrmlError as error:
        sys.exit(f"trml {arguments.verb}: {error}")
    except OSError as error:
        sys.exit(f"trml {arguments.verb}: {_explain(error)}")


def _stop(number: int, frame: object) -> None:
    """Ctrl-C ends a verb at once, as a kill may: files are put in place whole or not at all. Training, which has more
    to lose, has a handler of its own. Not KeyboardInterrupt: in an import it may come out as any other error."""
    sys.stderr.write("trml: stopped; what is finished is kept\n")
    sys.stderr.flush()
    os._exit(128 + number)


def _explain(error: OSError) -> str:
    """What a user can mend about files; anything else is a fault of ours and is raised again."""
    where = Path(str(error.filename))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full; what is finished is kept. Free some space and go on with: {run_again()}"
    if isinstance(error, FileNotFoundError) and "work" in where.parts:
        return f"{where} is absent. Remove {where.parent} and run: {run_again()}"
    if isinstance(error, FileNotFoundError):
        return f"{where} is absent; bring it back, or set data=<folder> to where the corpora are"
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError) or error.errno == errno.EROFS:
        return f"{where} cannot be written ({error.strerror}); set data=<folder> to one that can, or mend its rights"
    raise error
