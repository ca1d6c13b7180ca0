"""Guess the roles of a table's columns from their names and values."""

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path, PurePath

from trml.base.printable import few, shortened
from trml.corpora.user_table.clips import MEDIA
from trml.corpora.user_table.config import OwnColumns
from trml.corpora.user_table.splits import split_of
from trml.corpora.user_table.table import Table
from trml.sources.formats.numbers import number

_REFUSED = 6  # columns that are said not to have a role

# Usual names, the likeliest first. Capitals, blanks, - and _ are ignored.
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
    """Guess a column for every role that the user has not stated.

    Args:
        table: The table.
        stated: The columns that the user stated, by role; None for a role that no column has.

    Returns:
        The column of every role, None if there is none, and a line of the report for each role.
    """
    taken = set(stated.values())
    columns, words = dict(stated), []
    for role in (field.name for field in fields(OwnColumns)):
        if role in stated:
            words.append(f"{role:13}{few([stated[role] or 'none'])} (as stated)")
            continue
        others, refused = [], []
        for name in _candidates(table, role):
            unfit = _UNFIT[role](table.columns[name], table.path.parent) if role in _UNFIT else ""
            if unfit:
                refused.append(f"not {shortened(name)}: {unfit}")
            elif name not in taken:
                others.append(name)
        columns[role] = others[0] if others else None
        taken.add(columns[role])
        beside = [f"it could also be {few(others[1:])}"] if others[1:] else []
        remark = f" ({'; '.join(refused[:_REFUSED] + beside)})" if refused or beside else ""
        words.append(f"{role:13}{few([columns[role] or 'none'])}{remark}")
    return columns, words


def _candidates(table: Table, role: str) -> list[str]:
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in table.columns}
    return [name for word in SYNONYMS[role].split() for name in table.columns if plain[name] == word]


def _unfit_clip(cells: list[str], folder: Path) -> str:
    if any(_is_file(folder, cell) for cell in dict.fromkeys(cells) if cell):
        return ""
    example = next(filter(None, cells), "")
    media = {path.stem for path in folder.rglob("*") if path.suffix.lower() in MEDIA}
    named = [PurePath(cell.replace("\\", "/")) for cell in filter(None, cells)]
    if media and any(path.suffix.lower() in MEDIA or path.stem in media for path in named):
        return ""  # it does name media; each wrong path becomes a finding
    return f"none of its files exists, such as {example[:60]!r}" if example else "it is empty"


def _is_file(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):  # a long text, not a name
        return False


def _unfit_id(cells: list[str], folder: Path) -> str:
    return (
        "" if len(set(cells)) > 0.9 * len(cells) else "its values are not unique"
    )  # a few typing errors are reported later


def _unfit_split(cells: list[str], folder: Path) -> str:
    example = next((cell for cell in cells if cell and not split_of(cell)), "")
    return "" if any(map(split_of, cells)) else f"{example[:60]!r} is not a split"


def _unfit_seconds(cells: list[str], folder: Path) -> str:
    for cell in filter(None, cells):
        if number(cell) is not None:
            return ""
        return f"{cell[:60]!r} is not a number of seconds"
    return "it is empty"


_UNFIT: dict[str, Callable[[list[str], Path], str]] = {
    "clip": _unfit_clip,
    "utterance_id": _unfit_id,
    "split": _unfit_split,
    "start_s": _unfit_seconds,
    "end_s": _unfit_seconds,
}
