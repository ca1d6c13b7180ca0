"""What corpora in their raw layouts have in common: their files, texts of uncertain encoding, what is missing for real.

The files stay where they are in data/<folder>; nothing is copied.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from trml.base.commands import fetch_again
from trml.base.errors import ContractError, DataMissing
from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus

_SHOWN = 3  # names in a note or message; the whole list is in left_out.parquet


@dataclass(frozen=True)
class Utterance:
    """A row of utterances.parquet. An empty text and a clip of None are missing for real; times are seconds."""

    utterance_id: str
    video_id: str
    split: str
    text: str
    clip: str | None
    start_s: float | None
    end_s: float | None
    label: float


@dataclass
class Gathered:
    """What a corpus's raw files came to. `left_out` pairs what is in no utterance with the reason, in words that are
    the same for all of a kind, since they are counted. `legacy` lists files that are not UTF-8, `timeless` utterances
    whose end is not after their start."""

    utterances: list[Utterance] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    legacy: list[str] = field(default_factory=list)
    timeless: list[str] = field(default_factory=list)

    def add(self, utterance: Utterance) -> None:
        """One more, unless both its modalities are missing."""
        if utterance.text or utterance.clip:
            self.utterances.append(utterance)
        else:
            self.leave_out(utterance.utterance_id, "neither text nor clip")

    def leave_out(self, what: str, reason: str) -> None:
        """It is in no utterance."""
        self.left_out.append((what, reason))

    def times(self, utterance_id: str, start_s: float, end_s: float) -> tuple[float | None, float | None]:
        """The two, or none where there is nothing between them."""
        if start_s < end_s:
            return start_s, end_s
        self.timeless.append(utterance_id)
        return None, None

    def read_text(self, path: Path) -> str:
        """A text file: UTF-8 or, where it is not that, Windows-1252, a character of neither as U+FFFD."""
        content = path.read_bytes()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.legacy.append(path.name)
            return content.decode("cp1252", errors="replace")

    def read_lines(self, path: Path) -> list[str]:
        """Its lines, which end at line feeds and carriage returns alone: U+2028 and the like are text."""
        return self.read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def find_files(name: str, data: Path, folder: str, pattern: str, otherwise: str = "") -> list[Path]:
    """The files data/folder/pattern, sorted, without macOS's `._*`.

    Raises DataMissing where there is none: what was looked for, what stands there in its place, and what to do;
    `otherwise` is another way out.
    """
    files = sorted(path for path in (data / folder).glob(pattern) if path.is_file() and not path.name.startswith("._"))
    if not files:
        raise DataMissing(
            f"corpus {name}: nothing matches {data / folder / pattern}; {_in_its_place(data / folder, pattern)}. "
            f"Fetch the corpus ({fetch_again()}) or bring the raw layout there (docs/real_corpora.md){otherwise}"
        )
    return files


def _in_its_place(root: Path, pattern: str) -> str:
    """The deepest folder on the way to the pattern that is there, and what it holds."""
    place = root
    for part in Path(pattern).parts[:-1]:
        if not (place / part).is_dir():
            break
        place /= part
    if not place.is_dir():
        return f"the folder {place} is absent"
    held = sorted(path.name for path in place.iterdir())
    return f"{place} holds {_some(held)}" if held else f"{place} is empty"


def tidy(text: str) -> str:
    """The text with single spaces for any whitespace, and none around it."""
    return " ".join(text.split())


def write_raw(folder: Path, info: CorpusInfo, gathered: Gathered, official: Mapping[str, int]) -> None:
    """Write the corpus, with notes on its numbers beside the official ones, on what is missing for real, and on what
    was left out. Raises ContractError where a split is empty, saying what was left out."""
    found = Counter(utterance.split for utterance in gathered.utterances)
    counted = "; ".join(f"{n} ({reason}), such as {what}" for reason, n, what in _by_reason(gathered.left_out))
    for split in SPLITS:
        if not found[split]:
            raise ContractError(
                f"corpus {info.name}: split {split} is empty; left out: {counted or 'nothing'}. Are all files there?"
            )
    sizes = ", ".join(f"{split} {found[split]}" for split in SPLITS)
    same = all(found[split] == official[split] for split in SPLITS)
    published = ", ".join(f"{split} {official[split]}" for split in SPLITS)
    notes = [
        *info.notes,
        f"Utterances: {sizes}, " + ("the official numbers." if same else f"where officially there are {published}."),
        *_missing("Vision", [u.utterance_id for u in gathered.utterances if not u.clip], found.total()),
        *_missing("Text", [u.utterance_id for u in gathered.utterances if not u.text], found.total()),
    ]
    if gathered.timeless:
        notes.append(f"Without times, since their end is not after their start: {_some(gathered.timeless)}.")
    if gathered.legacy:
        notes.append(f"Not UTF-8 and read as Windows-1252: {_some(sorted(gathered.legacy))}.")
    if counted:
        notes.append(f"Left out (left_out.parquet lists it): {counted}.")
    columns = list(Utterance.__dataclass_fields__)
    schema = {"clip": pl.String, "start_s": pl.Float32, "end_s": pl.Float32}
    table = pl.DataFrame(
        {column: [getattr(utterance, column) for utterance in gathered.utterances] for column in columns},
        schema_overrides=schema,
    )
    write_corpus(folder, replace(info, notes=notes), table, gathered.left_out)


def _missing(modality: str, ids: Sequence[str], of: int) -> list[str]:
    if not ids:
        return []
    return [f"{modality} is missing for real in {len(ids)} of {of} utterances ({len(ids) / of:.2%}): {_some(ids)}."]


def _by_reason(left_out: Sequence[tuple[str, str]]) -> list[tuple[str, int, str]]:
    """Each reason, how often, and the first it holds for; the most frequent first."""
    first: dict[str, str] = {}
    for what, reason in left_out:
        first.setdefault(reason, what)
    return [(reason, n, first[reason]) for reason, n in Counter(reason for _, reason in left_out).most_common()]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
