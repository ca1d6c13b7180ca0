"""One's own: a folder with a table of utterances and their media, which stay where they are (docs/own_data.md)."""

from pathlib import Path

from trml.base.errors import ContractError
from trml.base.progress import say
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.user_table.clips import Clips
from trml.corpora.user_table.config import OwnConfig
from trml.corpora.user_table.rows import Reading, columns_of, read
from trml.corpora.user_table.table import listed, read_table

LOUD = 0.02  # of the clips that are named, or of the rows: from here on it is said aloud


def raw_files(config: OwnConfig, data: Path) -> list[Path]:
    """The table, and every media file that it names and that is there."""
    folder = data / config.folder
    path = folder / config.table
    if not path.is_file():
        return [path]
    table = read_table(path)
    clips, column = Clips(folder), columns_of(table, config).get("clip")
    names = dict.fromkeys(table.columns[column]) if column else {}
    return [path, *(folder / clip for name in names if (clip := clips.find(name)[0]))]


def build(config: OwnConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill `folder`: the table's rows in the common form, clips where they lie already. Raises ContractError that says,
    line by line, what makes it unusable."""
    source = data / config.folder
    reading = read(config, source)
    refuse(reading, source)
    for line in notes(config, reading):
        say(f"corpus {config.name}: {line}")
    left_out = [(finding.what, finding.words) for finding in reading.of("left out")]
    write_corpus(folder, describe(config, reading, digest), reading.utterances, left_out)


def refuse(reading: Reading, source: Path) -> None:
    """Raise ContractError where a finding makes the whole unusable."""
    faults = reading.of("refused")
    if faults:
        lines = listed([str(fault) for fault in faults], "faults")
        raise ContractError(f"{reading.table.path} cannot be used; trml check {source} tells all\n{lines}")


def remarks(config: OwnConfig, reading: Reading) -> list[str]:
    """What a reader of the results has to know of the rows: those left out, those without their clip, the split."""
    rows, out, blind = len(reading.table.lines), len(reading.of("left out")), len(reading.of("no vision"))
    lines = []
    if out:
        lines.append(f"{_loud(out, rows)}Rows left out: {out:,} of {rows:,}; left_out.parquet says which and why.")
    if blind:
        share = f"{blind:,} of {reading.named:,} ({blind / reading.named:.1%})"
        loud = _loud(blind, reading.named)
        lines.append(f"{loud}Clips that are not there or cannot be cut: {share}; vision is missing there.")
    elif not reading.utterances["clip"].count():
        lines.append("No row has a clip: vision is missing everywhere.")
    if reading.drawn:
        lines.append(f"The split is drawn, whole groups at a time (seed {config.seed}).")
    low, high = config.label_range
    if reading.labels.task == "regression" and (low, high) != (-3.0, 3.0):
        lines.append(f"Labels in [{low:g}, {high:g}] are mapped to [-3, 3].")
    return lines


def notes(config: OwnConfig, reading: Reading) -> list[str]:
    """What stands beside the results: the remarks, and what was found in the table that is to be known."""
    return [*remarks(config, reading), *map(str, reading.of("note"))]


def _loud(part: int, whole: int) -> str:
    return "ATTENTION: " if part > LOUD * whole else ""


def describe(config: OwnConfig, reading: Reading, digest: str) -> CorpusInfo:
    """corpus.json of a table that was read."""
    return CorpusInfo(
        name=config.name,
        title=config.title,
        task=reading.labels.task,
        classes=reading.labels.classes,
        source=f"a user's own table, {config.table}",
        licence=config.licence,
        media="raw",
        notes=notes(config, reading),
        digest=digest,
        root=config.folder,
    )
