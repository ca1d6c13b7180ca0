"""Verbs that bring raw files: fetch, and its old name for terms, accept."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trml.base.commands import params_file
from trml.base.errors import CommandError, TermsNotAccepted
from trml.base.nearest import nearest
from trml.cli.common import Config, Json, Params, agreed, examples
from trml.cli.output import emit

if TYPE_CHECKING:
    from trml.sources.fetching.config import FetchedCorpus

Data = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="folder of the corpora (default: that of the configuration)"),
]


def corpus_names(incomplete: str = "") -> list[str]:
    """Return the names of the corpora in config/, for completion."""
    return sorted(path.stem for path in Path("config/corpus").glob(f"{incomplete}*.yaml"))


@examples(
    "  trml fetch meld --data ../data      show its terms, ask, download; again: resume\n"
    "  trml fetch --dry-run                what the configuration in force lacks\n"
    "  TRML_OFFLINE=1 trml fetch           verify and unpack files that you provided"
)
def fetch(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="CORPUS",
            help="a corpus of config/ (default: those of the configuration in force)",
            autocompletion=corpus_names,
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="accept its terms without a question")] = False,
    params: Params = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="download nothing; name absent files, unpack the others")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="list downloads and archives to unpack; change nothing")
    ] = False,
    corpus: Annotated[
        str | None, typer.Option(metavar="NAME", help="one corpus of the configuration (default: all)")
    ] = None,
    config: Config = Path("config"),
    as_json: Json = False,
) -> None:
    """Download and unpack the raw files of a corpus, or of the configuration's corpora.

    A terminal shows terms that are not accepted yet, and asks.
    """
    from trml.config.load import load
    from trml.sources.fetching.config import FetchedCorpus
    from trml.sources.fetching.fetch import fetch as run
    from trml.sources.fetching.fetch import steps

    accepted: list[str] = []
    path = params or params_file()
    if name is not None:
        corpora, folder = [_fetchable(name, config)], data or _data_in_force(path)
    else:
        composed = load(path)
        folder, accepted = data or Path(composed.data), list(composed.accept_terms)
        every = [each.corpus for each in composed.by_dataset().values() if isinstance(each.corpus, FetchedCorpus)]
        corpora = [each for each in every if corpus in (None, each.name)]
        if not corpora and corpus:
            raise CommandError(f"{path} has no corpus {corpus} that can be fetched")
    planned = {each.name: steps(each, folder) for each in corpora}
    lines = [line for each in planned.values() for line in each]
    if not corpora:
        lines = [f"{path} has no corpus that can be fetched. Use another configuration: --params FILE"]
    if not dry_run:
        for each in corpora:
            if corpus is None:  # a rule names one, and nobody is there to answer it
                consent(each, folder, accepted, offline=offline, without_question=accept_terms)
            run(each, folder, accepted, offline)
    shown = lines if dry_run or not corpora else []
    emit("fetch", {"data": str(folder), "fetched": not dry_run, "steps": planned}, shown, as_json=as_json)


def _fetchable(name: str, config: Path) -> "FetchedCorpus":
    """Return the configuration of a corpus that can be fetched.

    Raises:
        CommandError: If there is none of this name.
    """
    from trml.corpora.registry import shipped
    from trml.sources.fetching.config import FetchedCorpus

    every = shipped(config)
    known = {key: each for key, each in every.items() if isinstance(each, FetchedCorpus)}
    if name in known:
        return known[name]
    named = next((each for each in known.values() if each.terms.name == name), None)  # as `trml accept` did
    if named is not None:
        return named
    if name in every:
        raise CommandError(f"corpus {name} needs no download", command=f"trml corpora {name}")
    raise CommandError(f"there is no corpus {name!r}{nearest(name, known)}", command="trml corpora")


def _data_in_force(path: str) -> Path:
    from trml.config.load import load

    return Path(load(path).data if Path(path).is_file() else "data")


def consent(
    corpus: "FetchedCorpus", data: Path, accepted: list[str], *, offline: bool = False, without_question: bool = False
) -> None:
    """Show the terms of a corpus that must be downloaded, and ask on a terminal.

    Raises:
        TermsNotAccepted: If the answer is no. Without a terminal the download itself refuses.
    """
    from trml.sources.fetching.terms import is_accepted, record

    absent = [each for each in corpus.unfetched_sources(data) if not (data / corpus.folder / each.file).is_file()]
    if not absent or offline or is_accepted(corpus.terms, data, accepted):
        return
    terms = corpus.terms
    if not without_question:
        if not sys.stdin.isatty():
            return
        print(f"{terms.text}\n{terms.url}", file=sys.stderr)
        if not agreed(f"Accept the terms of {corpus.name}?"):
            raise TermsNotAccepted(f"the terms of {corpus.name} are not accepted; nothing was downloaded")
    record(terms, data)
    print(f"accepted; recorded in {data / 'terms.json'}", file=sys.stderr)


@examples(
    "  trml accept                   list the terms, and which are accepted\n"
    "  trml accept meld              accept those of MELD\n"
    "  trml accept mosi --data ../data"
)
def accept(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="a corpus or terms (default: list all)", show_default=False),
    ] = None,
    params: Params = None,
    data: Data = None,
    config: Config = Path("config"),
) -> None:
    """Accept the terms of a corpus; without a name, list the terms of all corpora. `trml fetch` asks for them too."""
    from trml.sources.fetching.terms import accept as run
    from trml.sources.fetching.terms import is_accepted, known_terms

    folder = data or _data_in_force(params or params_file())
    if name is None:
        for terms in known_terms(config).values():
            print(f"{terms.name:10} {'(accepted)' if is_accepted(terms, folder) else '(not accepted)'}\n{terms.text}\n")
        return
    terms = run(name, folder, config)
    print(f"{terms.text}\n{terms.url}\naccepted; recorded in {folder / 'terms.json'}")
