"""MELD in its raw layout: a csv a split and, where vision is wanted, a clip an utterance. Dialogues and utterances are
numbered anew in each split."""

import csv
import io
import re
from pathlib import Path

from trml.base.errors import ContractError, DataMissing
from trml.corpora.common.raw_layout import Gathered, Utterance, find_files, tidy, write_raw
from trml.corpora.contract import CorpusInfo
from trml.corpora.meld.config import MeldConfig

CLASSES = {
    "sentiment": ["negative", "neutral", "positive"],
    "emotion": ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"],
}

# Our name of a split, MELD's, and the folder of its clips below MELD.Raw.
_SPLITS = {
    "train": ("train", "train_splits"),
    "valid": ("dev", "dev_splits_complete"),
    "test": ("test", "output_repeated_splits_test"),
}

_OFFICIAL = {"train": 9989, "valid": 1109, "test": 2610}

_COLUMNS = ["Utterance", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "StartTime", "EndTime"]

_CLIP = re.compile(r"(final_videos_test)?(dia\d+_utt\d+)")

_TIME = re.compile(r"(\d+):(\d\d):(\d\d),(\d{1,3})")  # `47,28` is 47 s and 28 ms


def raw_files(config: MeldConfig, data: Path) -> list[Path]:
    """The three tables and, with vision, the clips. Raises DataMissing."""
    tables = [_table_path(config, data, split) for split in _SPLITS]
    clips = [path for split in _SPLITS for path in _clips(config, data, split)[0].values()]
    return sorted(tables + clips)


def build(config: MeldConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill `folder` with the corpus: labels index the classes of the task. Raises DataMissing and ContractError."""
    gathered = Gathered()
    for split in _SPLITS:
        _gather(config, data, split, gathered)
    notes = [
        "Splits: MELD's own, by dialogue. Times are those of the episode; a clip is its utterance alone.",
        "In the test folder a clip `final_videos_test<name>` takes the place of `<name>`, whose content is another.",
    ]
    info = CorpusInfo(
        name=config.name,
        title=f"MELD, {config.task}",
        task="classification",
        classes=CLASSES[config.task],
        source="MELD (Poria et al., ACL 2019), from the series Friends",
        licence=config.licence,
        media="raw",
        notes=notes if config.vision else [notes[0], "The text alone: no clips are read (corpus.vision is false)."],
        digest=digest,
        root=config.folder,
    )
    write_raw(folder, info, gathered, _OFFICIAL)


def _gather(config: MeldConfig, data: Path, split: str, gathered: Gathered) -> None:
    """Add the utterances of a split, and leave out the clips that no row names."""
    path, theirs = _table_path(config, data, split), _SPLITS[split][0]
    clips, replaced = _clips(config, data, split)
    gathered.left_out += [(name, "a clip in whose place there is a final_videos_test") for name in replaced]
    seen: set[str] = set()
    for place, row in enumerate(_table(path, gathered), 1):
        name = f"dia{_number(path, place, row, 'Dialogue_ID')}_utt{_number(path, place, row, 'Utterance_ID')}"
        if name in seen:
            raise ContractError(f"{path}, row {place}: {name} is there twice; expected each utterance once")
        seen.add(name)
        begin, until = (_seconds(path, place, row, column) for column in ("StartTime", "EndTime"))
        start, end = gathered.times(f"{theirs}_{name}", begin, until)
        clip = clips.get(name)
        below = None if clip is None else clip.relative_to(data / config.folder).as_posix()
        label = _label(config, path, place, row)
        video = f"{theirs}_{name.partition('_')[0]}"
        gathered.add(Utterance(f"{theirs}_{name}", video, split, tidy(row["Utterance"]), below, start, end, label))
    for name in sorted(set(clips) - seen):
        gathered.leave_out(f"{theirs}_{name}", "a clip that no row of the table names")


def _table_path(config: MeldConfig, data: Path, split: str) -> Path:
    """The table in the corpus's folder itself, where it was fetched to, or in MELD.Raw, where the archive has it."""
    name = f"{_SPLITS[split][0]}_sent_emo.csv"
    try:
        return find_files(config.name, data, config.folder, name)[0]
    except DataMissing:
        return find_files(config.name, data, config.folder, f"MELD.Raw/{name}")[0]


def _clips(config: MeldConfig, data: Path, split: str) -> tuple[dict[str, Path], list[str]]:
    """The clip of each `dia<d>_utt<u>`, none without vision; and the names of those that another one replaces."""
    if not config.vision:
        return {}, []
    otherwise = ", or take the text alone: corpus.vision=false"
    files = find_files(config.name, data, config.folder, f"MELD.Raw/{_SPLITS[split][1]}/*.mp4", otherwise)
    clips: dict[str, Path] = {}
    replaced = []
    for path in files:  # sorted, so `dia...` comes before its `final_videos_testdia...`
        found = _CLIP.fullmatch(path.stem)
        if found:
            if found[2] in clips:
                replaced.append(clips[found[2]].name)
            clips[found[2]] = path
    return clips, replaced


def _table(path: Path, gathered: Gathered) -> list[dict[str, str]]:
    """The rows as they stand. Raises ContractError where a column is absent or a row has more fields or fewer."""
    header, *rows = [fields for fields in csv.reader(io.StringIO(gathered.read_text(path), newline="")) if fields] or [
        []
    ]
    for column in _COLUMNS:
        if column not in header:
            raise ContractError(f"{path} has no column {column}; it has {', '.join(header) or 'none'}")
    for place, fields in enumerate(rows, 1):
        if len(fields) != len(header):
            raise ContractError(f"{path}, row {place}: {len(fields)} fields; expected {len(header)}")
    return [dict(zip(header, fields, strict=True)) for fields in rows]


def _number(path: Path, place: int, row: dict[str, str], column: str) -> int:
    if not row[column].strip().isdecimal():
        raise ContractError(f"{path}, row {place}: {column} is {row[column]!r}; expected a number")
    return int(row[column])


def _seconds(path: Path, place: int, row: dict[str, str], column: str) -> float:
    found = _TIME.fullmatch(row[column].strip())
    if found is None:
        raise ContractError(
            f"{path}, row {place}: {column} is {row[column]!r}; expected hours:minutes:seconds,thousandths"
        )
    hours, minutes, seconds, thousandths = (int(part) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds + thousandths / 1000


def _label(config: MeldConfig, path: Path, place: int, row: dict[str, str]) -> int:
    column, classes = config.task.capitalize(), CLASSES[config.task]
    name = row[column].strip().lower()
    if name not in classes:
        raise ContractError(f"{path}, row {place}: {column} is {row[column]!r}; expected one of {', '.join(classes)}")
    return classes.index(name)
