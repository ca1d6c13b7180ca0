"""Verbs on raw data and corpora: check, accept, fetch, corpus."""

import argparse
import sys
from pathlib import Path

from trml.base.errors import TrmlError
from trml.cli.common import Verbs, add_config, add_folder, add_params, add_verb, plan_of


def check(arguments: argparse.Namespace) -> None:
    """Validate a folder of data, and print the command that runs the benchmark on it."""
    from trml.corpora.checking.check import Stated, stated_columns
    from trml.corpora.checking.check import check as run
    from trml.evaluation.foreseen import detectable_words

    stated = Stated(
        arguments.table, stated_columns(arguments.column), arguments.seed, arguments.label_range, arguments.classes
    )
    report = run(arguments.folder, stated, arguments.config)
    print("\n".join(report.lines))
    if not report.is_sound:
        sys.exit(1)
    if report.facts is not None:
        test = next(row for row in report.facts.splits.iter_rows(named=True) if row["split"] == "test")
        print(detectable_words(report.task, test["groups"], test["rows"]))


def accept(arguments: argparse.Namespace) -> None:
    """Accept the terms of a corpus; without a name, list the terms of all corpora."""
    from trml.config.load import load
    from trml.sources.fetching.terms import accept as run
    from trml.sources.fetching.terms import is_accepted, known_terms

    params = Path(arguments.params)
    data = arguments.data or Path(load(params).data if params.is_file() else "data")
    if arguments.name is None:
        for terms in known_terms(arguments.config).values():
            print(f"{terms.name:10} {'(accepted)' if is_accepted(terms, data) else '(not accepted)'}\n{terms.text}\n")
        return
    terms = run(arguments.name, data, arguments.config)
    print(f"{terms.text}\n{terms.url}\naccepted; recorded in {data / 'terms.json'}")


def fetch(arguments: argparse.Namespace) -> None:
    """Download and unpack the raw files of the configuration's corpora."""
    from trml.config.load import load
    from trml.sources.fetching.config import FetchedCorpus
    from trml.sources.fetching.fetch import fetch as run
    from trml.sources.fetching.fetch import steps

    params = load(arguments.params)
    corpora = [each.corpus for each in params.by_dataset().values() if isinstance(each.corpus, FetchedCorpus)]
    if arguments.corpus:
        corpora = [config for config in corpora if config.name == arguments.corpus]
    if not corpora and arguments.corpus:
        raise TrmlError(f"{arguments.params} has no corpus {arguments.corpus} that can be fetched")
    if not corpora:
        print(f"{arguments.params} has no corpus that can be fetched. Use another configuration: --params FILE")
    for config in corpora:
        if arguments.dry_run:
            print("\n".join(steps(config, Path(params.data))))
        else:
            run(config, Path(params.data), params.accept_terms, arguments.offline)


def corpus(arguments: argparse.Namespace) -> None:
    """Build a corpus from its raw files, or generate it. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.corpora.registry import build_corpus

    plan = plan_of(arguments)
    with new_folder(plan.corpus, "corpus.json", bulk=True) as folder:
        build_corpus(plan.params.corpus, Path(plan.params.data), folder, plan.corpus.name, arguments.threads)


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    verb = add_verb(
        verbs,
        check,
        "  trml check ../my_posts\n"
        "  trml check ../my_posts --column label=mood --column clip=\n"
        "  trml check ../data/meld",
    )
    verb.add_argument("folder", type=Path, metavar="FOLDER", help="a table with media beside it, or a known raw corpus")
    verb.add_argument(
        "--table", metavar="NAME", help="the table's file name (default: utterances.csv, or the only table)"
    )
    verb.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help="name of a column, as in label=sentiment; an empty name means that there is none; may be repeated",
    )
    verb.add_argument("--seed", type=int, metavar="N", help="seed of the split, if the table has none")
    verb.add_argument(
        "--label-range", type=float, nargs=2, default=[], metavar=("LOW", "HIGH"), help="range of numeric labels"
    )
    verb.add_argument("--classes", nargs="+", default=[], metavar="LABEL", help="the classes, in their order")
    add_config(verb)

    verb = add_verb(
        verbs,
        accept,
        "  trml accept                   list the terms, and which are accepted\n"
        "  trml accept meld              accept those of MELD\n"
        "  trml accept mosi --data ../data",
    )
    verb.add_argument("name", nargs="?", metavar="NAME", help="name of the terms (default: list all)")
    add_params(verb)
    verb.add_argument(
        "--data", type=Path, metavar="FOLDER", help="folder of the corpora (default: that of the configuration)"
    )
    add_config(verb)

    verb = add_verb(
        verbs,
        fetch,
        "  trml compose experiment=meld data=../data && trml fetch --dry-run\n"
        "  trml fetch                    run it again after an interruption: downloads resume\n"
        "  TRML_OFFLINE=1 trml fetch     verify and unpack files that you provided",
    )
    add_params(verb)
    verb.add_argument("--offline", action="store_true", help="download nothing; name absent files, unpack the others")
    verb.add_argument("--dry-run", action="store_true", help="list downloads and archives to unpack; change nothing")
    verb.add_argument("--corpus", metavar="NAME", help="fetch one corpus of the configuration (default: all)")

    verb = add_verb(verbs, corpus)
    add_folder(verb, "corpus")
    verb.add_argument("--threads", type=int, default=1, metavar="N", help="processes to use (default: 1)")
