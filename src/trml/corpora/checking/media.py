"""What is amiss with the clips of a corpus: files that cannot be opened, parts beyond a clip's end, the same file in
two splits."""

from pathlib import Path

import polars as pl

from trml.corpora.checking.probe import SAMPLE, SMALLEST, Media, probe_all, same_files
from trml.corpora.user_table.clips import is_picture
from trml.corpora.user_table.table import listed

STOPS = 0.02  # of the clips: a run stops where more cannot be read (encoders/encode.py)


def look_at_media(rows: pl.DataFrame, root: Path) -> tuple[list[str], list[str], bool]:
    """Open the clips of `rows` (utterance columns, and `place`: where a row is found). What they are in sum; what is
    amiss, row by row; and whether a run can go on with that."""
    clips = rows.filter(pl.col("clip").is_not_null()).with_columns(
        pl.col("clip").str.split("#").list.first().alias("file")
    )
    if clips.is_empty():
        return ["Media: no utterance has a clip", ""], [], True
    found = probe_all(root / name for name in clips["file"])
    unreadable, dead, odd = [], 0, []
    for row in clips.iter_rows(named=True):
        media = found[root / row["file"]]
        fault = media.fault or _beyond(row, media)
        if fault:
            unreadable.append(f"{row['place']}: clip {row['clip']!r} {fault}")
            dead += row["text"] == ""
        elif min(media.width, media.height) < SMALLEST:
            odd.append(f"{row['place']}: clip {row['clip']!r} is {media.width} x {media.height} pixels")
    share = len(unreadable) / clips.height
    amiss = []
    if unreadable:
        loud = f"ATTENTION, more than {STOPS:.0%}, so that a run would stop: " if share > STOPS else ""
        amiss += ["", f"{loud}Clips that cannot be used (vision is missing there): {len(unreadable):,} ({share:.1%})"]
        amiss.append(listed(unreadable, "such clips"))
    if dead:
        amiss.append(f"  Without text too: {dead:,}; these utterances would be left out")
    if odd:
        amiss += ["", f"Clips that show next to nothing: {len(odd):,}", listed(odd, "such clips")]
    return [*_in_sum(list(found.values())), *_across_splits(clips, root), ""], amiss, share <= STOPS


def _beyond(row: dict[str, object], media: Media) -> str:
    """Why a part is not in its clip, where that is known."""
    start = row["start_s"]
    if "#" not in str(row["clip"]) or not isinstance(start, float) or not media.seconds or start < media.seconds:
        return ""
    return (
        f"is {media.seconds:.1f} s long, and its part begins at {start:.1f} s. If clips are cut already: "
        "corpus.columns.start_s=null corpus.columns.end_s=null"
    )


def _in_sum(found: list[Media]) -> list[str]:
    good = [media for media in found if not media.fault]
    pictures = sum(is_picture(media.path.name) for media in good)
    lines = [
        f"Media: {len(found):,} files; of those that can be opened {pictures:,} are pictures and "
        f"{len(good) - pictures:,} videos; some {min(SAMPLE, len(found))} were decoded to their end"
    ]
    if good:
        smallest, largest = min(good, key=_area), max(good, key=_area)
        lines.append(f"  {smallest.width} x {smallest.height} to {largest.width} x {largest.height} pixels")
    lengths = sorted(media.seconds for media in good if media.seconds)
    if lengths:
        middle = lengths[len(lengths) // 2]
        lines.append(
            f"  videos of {lengths[0]:.1f} s to {lengths[-1]:.1f} s, half of them up to {middle:.1f} s; "
            f"{sum(lengths) / 60:.1f} minutes in all"
        )
    return lines


def _area(media: Media) -> int:
    return media.width * media.height


def _across_splits(clips: pl.DataFrame, root: Path) -> list[str]:
    """Files that are in several splits, by their bytes."""
    splits: dict[Path, set[str]] = {}
    for file, split in clips.select("file", "split").iter_rows():
        splits.setdefault(root / file, set()).add(split)
    groups = [*same_files(splits), *([path] for path in splits)]
    counted: set[Path] = set()
    leaks = []
    for group in groups:
        if not counted & set(group) and len(set().union(*(splits[path] for path in group))) > 1:
            leaks.append(" = ".join(str(path.relative_to(root)) for path in group[:3]))
        counted |= set(group)
    if not leaks:
        return ["  no file is in more than one split"]
    return [f"  ATTENTION: files in more than one split: {len(leaks):,}", listed(leaks, "such files")]
