"""Which column of a strange table is what, by its name and its values."""

import re
from collections.abc import Callable
from dataclasses import fields
from math import isfinite
from pathlib import Path, PurePath

from trml.corpora.user_table.clips import MEDIA
from trml.corpora.user_table.config import OwnColumns
from trml.corpora.user_table.splits import split_of
from trml.corpora.user_table.table import Table

# The names that people give them, the likeliest first; capitals, blanks, - and _ do not count.
SYNONYMS = {
    "text": "text utterance sentence transcript transcription caption content tweet post review comment",
    "clip": "clip clippath videopath imagepath mediapath path filepath filename file media video image picture photo",
    "label": "label sentiment emotion rating score polarity valence target annotation class y",
    "utterance_id": "utteranceid uttid id guid uid sampleid segmentid rowid",
    "video_id": "videoid dialogueid dialogid conversationid group groupid video movie session speaker user author",
    "split": "split set fold subset partition mode phase",
    "start_s": "starts start starttime begin onset from",
    "end_s": "ends end endtime stop offset to",
}


def guess(table: Table, stated: dict[str, str | None]) -> tuple[dict[str, str | None], list[str]]:
    """A column, or None, for every role that is not stated, and in words what was taken for what and what was not."""
    taken = set(stated.values())
    columns, words = dict(stated), []
    for role in (field.name for field in fields(OwnColumns)):
        if role in stated:
            words.append(f"{role:13}{stated[role] or 'none'} (as stated)")
            continue
        others, refused = [], []
        for name in _candidates(table, role):
            unfit = _UNFIT[role](table.columns[name], table.path.parent) if role in _UNFIT else ""
            if unfit:
                refused.append(f"not {name!r}: {unfit}")
            elif name not in taken:
                others.append(name)
        columns[role] = others[0] if others else None
        taken.add(columns[role])
        beside = [f"it could also be {', '.join(others[1:])}"] if others[1:] else []
        remark = f" ({'; '.join(refused + beside)})" if refused or beside else ""
        words.append(f"{role:13}{columns[role] or 'none'}{remark}")
    return columns, words


def _candidates(table: Table, role: str) -> list[str]:
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in table.columns}
    return [name for word in SYNONYMS[role].split() for name in table.columns if plain[name] == word]


def _unfit_clip(cells: list[str], folder: Path) -> str:
    if any(_is_file(folder, cell) for cell in dict.fromkeys(cells) if cell):
        return ""
    example = next(filter(None, cells), "")
    there = {path.stem for path in folder.rglob("*") if path.suffix.lower() in MEDIA}
    named = [PurePath(cell.replace("\\", "/")) for cell in filter(None, cells)]
    if there and any(path.suffix.lower() in MEDIA or path.stem in there for path in named):
        return ""  # it does name media, and each path that is wrong is a finding
    return f"no file that it names is there, such as {example[:60]!r}" if example else "it is empty"


def _is_file(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):  # no name at all, but a long text
        return False


def _unfit_id(cells: list[str], folder: Path) -> str:
    return "" if len(set(cells)) > 0.9 * len(cells) else "it does not tell the rows apart"  # above, it has slips


def _unfit_split(cells: list[str], folder: Path) -> str:
    example = next((cell for cell in cells if cell and not split_of(cell)), "")
    return "" if any(map(split_of, cells)) else f"{example[:60]!r} names no split"


def _unfit_seconds(cells: list[str], folder: Path) -> str:
    for cell in filter(None, cells):
        try:
            if isfinite(float(cell)):
                return ""
        except ValueError:
            pass
        return f"{cell[:60]!r} is no number of seconds"
    return "it is empty"


_UNFIT: dict[str, Callable[[list[str], Path], str]] = {
    "clip": _unfit_clip,
    "utterance_id": _unfit_id,
    "split": _unfit_split,
    "start_s": _unfit_seconds,
    "end_s": _unfit_seconds,
}
