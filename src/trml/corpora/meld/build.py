"""Build MELD from its raw layout: a csv a split and, with vision, a clip an utterance.

Dialogues and utterances are numbered from 0 in each split.
"""

import re
from pathlib import Path

from trml.base.errors import ContractError
from trml.base.printable import few, shortened
from trml.corpora.common.raw_layout import RawCorpus, Utterance, normalised, write_raw
from trml.corpora.contract import CorpusInfo
from trml.corpora.meld.config import SPLITS, MeldConfig
from trml.sources.formats.csv_rows import columns_of
from trml.sources.formats.numbers import count

CLASSES = {
    "sentiment": ["negative", "neutral", "positive"],
    "emotion": ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"],
}

_OFFICIAL = {"train": 9989, "valid": 1109, "test": 2610}

_COLUMNS = ["Utterance", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "StartTime", "EndTime"]

_TIME = re.compile(r"(\d{1,3}):(\d\d):(\d\d),(\d{1,3})", re.ASCII)  # `47,28` is 47 s and 28 ms


def build(config: MeldConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: labels index the classes of the task.

    Raises:
        DataMissing: If raw files are absent.
        ContractError: If a table does not have the expected form.
    """
    raw = RawCorpus()
    for split in SPLITS:
        _read_split(config, data, split, raw)
    notes = [
        "Splits: MELD's own, by dialogue. Times count from the start of the episode; a clip is one utterance.",
        "In the test folder, clip `final_videos_test<name>` replaces `<name>`, which shows another utterance.",
    ]
    info = CorpusInfo(
        name=config.name,
        title=f"MELD, {config.task}",
        task="classification",
        classes=CLASSES[config.task],
        source="MELD (Poria et al., ACL 2019), from the series Friends",
        licence=config.licence,
        media="raw",
        notes=notes if config.vision else [notes[0], "Texts alone: no clips are read (corpus.vision is false)."],
        digest=digest,
        root=config.folder,
    )
    write_raw(folder, info, raw, _OFFICIAL)


def _read_split(config: MeldConfig, data: Path, split: str, raw: RawCorpus) -> None:
    """Add the utterances of a split, and leave out the clips that no row names."""
    path, theirs = config.table_file(data, split), SPLITS[split][0]
    clips, replaced = config.clip_files(data, split)
    raw.left_out += [(name, "a clip that a final_videos_test clip replaces") for name in replaced]
    seen: set[str] = set()
    for place, row in enumerate(_table(path, raw), 1):
        name = f"dia{_number(path, place, row, 'Dialogue_ID')}_utt{_number(path, place, row, 'Utterance_ID')}"
        if name in seen:
            raise ContractError(f"{path}, row {place}: {name} is listed twice; expected each utterance once")
        seen.add(name)
        begin, until = (_seconds(path, place, row, column) for column in ("StartTime", "EndTime"))
        start, end = raw.times(f"{theirs}_{name}", begin, until)
        clip = clips.get(name)
        below = None if clip is None else clip.relative_to(data / config.folder).as_posix()
        label = _label(config, path, place, row)
        video = f"{theirs}_{name.partition('_')[0]}"
        raw.add(Utterance(f"{theirs}_{name}", video, split, normalised(row["Utterance"]), below, start, end, label))
    for name in sorted(set(clips) - seen):
        raw.leave_out(f"{theirs}_{name}", "a clip that no row of the table names")


def _table(path: Path, raw: RawCorpus) -> list[dict[str, str]]:
    """Return the rows; raise ContractError if it is no sound table or a column is absent."""
    columns, _ = columns_of(path, raw.read_text(path), ",")
    for column in _COLUMNS:
        if column not in columns:
            raise ContractError(f"{path} has no column {column}; it has {few(list(columns))}")
    cells = zip(*(columns[column] for column in _COLUMNS), strict=True)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in cells]


def _number(path: Path, place: int, row: dict[str, str], column: str) -> int:
    value = count(row[column])
    if value is None:
        raise ContractError(f"{path}, row {place}: {column} is {shortened(row[column])}; expected a number")
    return value


def _seconds(path: Path, place: int, row: dict[str, str], column: str) -> float:
    match = _TIME.fullmatch(row[column].strip())
    if match is None:
        raise ContractError(
            f"{path}, row {place}: {column} is {shortened(row[column])}; expected hours:minutes:seconds,thousandths"
        )
    hours, minutes, seconds, thousandths = (int(part) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds + thousandths / 1000


def _label(config: MeldConfig, path: Path, place: int, row: dict[str, str]) -> int:
    column, classes = config.task.capitalize(), CLASSES[config.task]
    name = row[column].strip().lower()
    if name not in classes:
        raise ContractError(
            f"{path}, row {place}: {column} is {shortened(row[column])}; expected one of {', '.join(classes)}"
        )
    return classes.index(name)
