"""What corpora in raw layouts share: utterances as they are read, texts of uncertain encoding, and notes on both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from trml.base.errors import ContractError
from trml.corpora.common.raw_files import first_of
from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus
from trml.sources.formats.texts import text_of


@dataclass(frozen=True)
class Utterance:
    """A row of utterances.parquet.

    An empty text and a clip of None are absent from the raw files. Times are seconds.
    """

    utterance_id: str
    video_id: str
    split: str
    text: str
    clip: str | None
    start_s: float | None
    end_s: float | None
    label: float


@dataclass
class RawCorpus:
    """What the raw files of a corpus contain.

    Attributes:
        utterances: In the order of the corpus.
        left_out: Items that are in no utterance, each with the reason. Reasons are counted, so equal cases have equal
            words.
        legacy: Names of text files that are not UTF-8.
        timeless: Utterances whose end is not after their start.
    """

    utterances: list[Utterance] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    legacy: list[str] = field(default_factory=list)
    timeless: list[str] = field(default_factory=list)

    def add(self, utterance: Utterance) -> None:
        """Add an utterance, or leave it out if it has neither text nor clip."""
        if utterance.text or utterance.clip:
            self.utterances.append(utterance)
        else:
            self.leave_out(utterance.utterance_id, "neither text nor clip")

    def leave_out(self, what: str, reason: str) -> None:
        """Record an item that is in no utterance."""
        self.left_out.append((what, reason))

    def times(self, utterance_id: str, start_s: float, end_s: float) -> tuple[float | None, float | None]:
        """Return both bounds, or two times None if the interval is empty."""
        if start_s < end_s:
            return start_s, end_s
        self.timeless.append(utterance_id)
        return None, None

    def read_text(self, path: Path) -> str:
        """Return a text file, decoded as UTF-8 or else as Windows-1252, with U+FFFD for characters of neither.

        Raises:
            ContractError: As `text_of`.
        """
        text, is_utf8 = text_of(path)
        if not is_utf8:
            self.legacy.append(path.name)
        return text

    def read_lines(self, path: Path) -> list[str]:
        """Return the lines of a text file. Only line feeds and carriage returns end a line; U+2028 is text."""
        return self.read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def normalised(text: str) -> str:
    """Return the text with single spaces for any whitespace, and none at its ends."""
    return " ".join(text.split())


def write_raw(folder: Path, info: CorpusInfo, raw: RawCorpus, official: Mapping[str, int]) -> None:
    """Write a corpus, with notes on its sizes, on modalities that are absent, and on what was left out.

    Args:
        folder: The corpus's folder.
        info: Its description; notes are added to it.
        raw: What the raw files contain.
        official: The published number of utterances in each split.

    Raises:
        ContractError: If a split is empty.
    """
    sizes = Counter(utterance.split for utterance in raw.utterances)
    counted = "; ".join(f"{n} ({reason}), such as {what}" for reason, n, what in _by_reason(raw.left_out))
    for split in SPLITS:
        if not sizes[split]:
            raise ContractError(
                f"corpus {info.name}: split {split} is empty. Left out: {counted or 'nothing'}. Check that all files "
                "are in place (docs/real_corpora.md)"
            )
    listed = ", ".join(f"{split} {sizes[split]}" for split in SPLITS)
    same = all(sizes[split] == official[split] for split in SPLITS)
    published = ", ".join(f"{split} {official[split]}" for split in SPLITS)
    notes = [
        *info.notes,
        f"Utterances: {listed}, " + ("the official numbers." if same else f"where officially there are {published}."),
        *_absent("Vision", [u.utterance_id for u in raw.utterances if not u.clip], sizes.total()),
        *_absent("Text", [u.utterance_id for u in raw.utterances if not u.text], sizes.total()),
    ]
    if raw.timeless:
        notes.append(f"Without times, since their end is not after their start: {first_of(raw.timeless)}.")
    if raw.legacy:
        notes.append(f"Not UTF-8, read as Windows-1252: {first_of(sorted(raw.legacy))}.")
    if counted:
        notes.append(f"Left out (listed in left_out.parquet): {counted}.")
    write_corpus(folder, replace(info, notes=notes), _table(raw.utterances), raw.left_out)


def _table(utterances: Sequence[Utterance]) -> pl.DataFrame:
    columns = list(Utterance.__dataclass_fields__)
    return pl.DataFrame(
        {column: [getattr(utterance, column) for utterance in utterances] for column in columns},
        schema_overrides={"clip": pl.String, "start_s": pl.Float32, "end_s": pl.Float32},
    )


def _absent(modality: str, ids: Sequence[str], total: int) -> list[str]:
    if not ids:
        return []
    share = f"{len(ids)} of {total} utterances ({len(ids) / total:.2%})"
    return [f"{modality} is absent from the raw files in {share}: {first_of(ids)}."]


def _by_reason(left_out: Sequence[tuple[str, str]]) -> list[tuple[str, int, str]]:
    """Return each reason, its count, and the first item it holds for; the most frequent first."""
    first: dict[str, str] = {}
    for what, reason in left_out:
        first.setdefault(reason, what)
    return [(reason, n, first[reason]) for reason, n in Counter(reason for _, reason in left_out).most_common()]
