"""Build a user-supplied dataset: a table of utterances and their media, which stay where they are."""

from pathlib import Path

from trml.base.errors import ContractError
from trml.base.printable import listed
from trml.base.progress import say
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.user_table.config import OwnConfig
from trml.corpora.user_table.rows import Reading, read

LOUD = 0.02  # share of the named clips, or of the rows, above which a remark starts with ATTENTION


def build(config: OwnConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`.

    Raises:
        DataMissing: If the table is absent.
        ContractError: If the table cannot be used; the message lists the faults line by line.
    """
    source = data / config.folder
    reading = read(config, source)
    refuse(reading, source)
    for line in notes(config, reading):
        say(f"corpus {config.name}: {line}")
    left_out = [(finding.what, finding.words) for finding in reading.of("left out")]
    write_corpus(folder, describe(config, reading, digest), reading.utterances, left_out)


def refuse(reading: Reading, source: Path) -> None:
    """Raise ContractError if a finding makes the table unusable."""
    faults = reading.of("refused")
    if faults:
        lines = listed([str(fault) for fault in faults], "faults")
        raise ContractError(f"{reading.table.path} cannot be used. For a full report: trml check {source}\n{lines}")


def remarks(config: OwnConfig, reading: Reading) -> list[str]:
    """Return what a reader of the results must know: rows that were left out, missing clips, a split that was drawn."""
    rows, out, blind = len(reading.table.lines), len(reading.of("left out")), len(reading.of("no vision"))
    lines = []
    if out:
        lines.append(f"{_loud(out, rows)}Rows left out: {out:,} of {rows:,}. See left_out.parquet.")
    if blind:
        share = f"{blind:,} of {reading.named:,} ({blind / reading.named:.1%})"
        loud = _loud(blind, reading.named)
        lines.append(f"{loud}Clips that do not exist or cannot be cut: {share}. Vision is missing in these rows.")
    elif not reading.utterances["clip"].count():
        lines.append("No row has a clip: vision is missing in all of them.")
    if reading.drawn:
        lines.append(f"The split is drawn, whole groups at a time (seed {config.seed}).")
    low, high = config.label_range
    if reading.labels.task == "regression" and (low, high) != (-3.0, 3.0):
        lines.append(f"Labels in [{low:g}, {high:g}] are mapped to [-3, 3].")
    return lines


def notes(config: OwnConfig, reading: Reading) -> list[str]:
    """Return the notes of the corpus: the remarks, then the notes on single rows."""
    return [*remarks(config, reading), *map(str, reading.of("note"))]


def _loud(part: int, whole: int) -> str:
    return "ATTENTION: " if part > LOUD * whole else ""


def describe(config: OwnConfig, reading: Reading, digest: str) -> CorpusInfo:
    """Return the description of a table that was read."""
    return CorpusInfo(
        name=config.name,
        title=config.title,
        task=reading.labels.task,
        classes=reading.labels.classes,
        source=f"a user-supplied table, {config.table}",
        licence=config.licence,
        media="raw",
        notes=notes(config, reading),
        digest=digest,
        root=config.folder,
    )
