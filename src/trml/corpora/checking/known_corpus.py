"""Check a folder that holds a known corpus: it is built in a temporary folder, and the result is inspected."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.errors import TrmlError
from trml.base.printable import setting, shell_word
from trml.corpora.checking.media import look_at_media
from trml.corpora.checking.show import Report, show_facts
from trml.corpora.common.config import CorpusConfig
from trml.corpora.contract import media_folder, read_corpus
from trml.corpora.registry import build_corpus
from trml.corpora.statistics import facts


def recognise(folder: Path, known: Mapping[str, CorpusConfig]) -> Iterator[CorpusConfig]:
    """List the corpora whose raw files are all present in `folder`, configured to read it."""
    for config in sorted(known.values(), key=lambda config: config.recognised == "last"):
        if config.recognised != "never":
            yield from _fitting(config, folder)


def _fitting(config: CorpusConfig, folder: Path) -> Iterator[CorpusConfig]:
    """Yield the first form of a corpus that the folder's files suffice for."""
    for form in config.forms():
        here: Any = replace(form, folder=".")  # type: ignore[type-var]
        try:
            files = here.raw_files(folder)
        except (TrmlError, OSError):
            continue
        if files and all(path.is_file() for path in files):
            yield here
            return


def check_known(config: CorpusConfig, folder: Path, usual: CorpusConfig, config_dir: Path) -> Report:
    """Report on a known corpus.

    Args:
        config: As `recognise` returns it.
        folder: Where its files are.
        usual: The configuration that `corpus=NAME` chooses; the command at the end states the differences to it.
        config_dir: The folder of configurations, config/.
    """
    lines = [f"{folder} holds the raw files of corpus {config.name} (kind {config.kind})"]
    with tempfile.TemporaryDirectory(prefix="trml-check-") as name:
        built = Path(name)
        build_corpus(config, folder, built, "check", 1)
        info, utterances = read_corpus(built)
        left_out = pl.read_parquet(built / "left_out.parquet")
        media: list[str] = []
        unreadable: list[str] = []
        sound = True
        if info.media != "given":
            rows = utterances.with_columns(pl.col("utterance_id").alias("place"))
            media, unreadable, sound = look_at_media(rows, media_folder(built, info, folder))
    lines += ["", f"Left out: {left_out.height:,} of {left_out.height + utterances.height:,}"]
    lines += [f"  {count:,} x {reason}" for reason, count in _reasons(left_out)]
    counts = facts(info, utterances)
    lines += [*unreadable, "", *media, *show_facts(info, counts)]
    lines += ["", "Notes", *(f"  {note}" for note in info.notes), f"  Licence: {info.licence}"]
    if not sound:
        return Report([*lines, "", "Not ready: fix the faults above, then check again."], False)
    next_command = f"  {_next(config, folder, usual, config_dir)}"
    return Report([*lines, "", "Ready. Next:", next_command], True, info.task, counts)


def _reasons(left_out: pl.DataFrame) -> list[tuple[str, int]]:
    return list(left_out.group_by("reason").len().sort("len", "reason", descending=[True, False]).iter_rows())


def _next(config: Any, folder: Path, usual: Any, config_dir: Path) -> str:
    """Return the command that runs an experiment on the corpus where it is."""
    place, below = folder.resolve(), Path(usual.folder)
    fits = place.parts[-len(below.parts) :] == below.parts
    settings = {
        f"corpus.{each.name}": getattr(config, each.name)
        for each in fields(config)
        if each.name != "folder" and getattr(config, each.name) != getattr(usual, each.name)
    }
    data = place.parents[len(below.parts) - 1] if fits else place.parent
    has_experiment = (config_dir / "experiment" / f"{config.name}.yaml").is_file()
    if fits and not settings and has_experiment:
        return f"make results EXPERIMENT={config.name} DATA={shell_word(str(data))}"
    if not fits:
        settings["corpus.folder"] = place.name
    encoder = "given" if config.brings == "features" else "classical"
    choice = (
        f"experiment={config.name}" if has_experiment else f"corpus={config.name} encoder={encoder} name={config.name}"
    )
    words = [shell_word(setting(key, value)) for key, value in {"data": str(data), **settings}.items()]
    return f"trml compose {choice} {' '.join(words)} && make results"
