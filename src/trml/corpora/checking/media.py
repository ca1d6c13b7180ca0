"""Check the clips of a corpus: unreadable files, parts beyond a clip's end, and files in several splits."""

from pathlib import Path

import polars as pl

from trml.base.printable import listed, shortened
from trml.corpora.checking.probe import SMALLEST, STOPS, Media, probe_all, same_files
from trml.sources.formats.media_fragment import split_part

_PATH = 300  # characters of a clip's name in a message


def look_at_media(rows: pl.DataFrame, root: Path) -> tuple[list[str], list[str], bool]:
    """Probe every clip in `rows`.

    Args:
        rows: Utterances, with the column `place`: how messages name a row.
        root: The folder that clips are relative to.

    Returns:
        A summary by media type, lines on every fault, and whether a run would accept the clips.
    """
    clips = rows.filter(pl.col("clip").is_not_null()).with_columns(
        pl.col("clip").map_elements(lambda clip: split_part(clip)[0], return_dtype=pl.String).alias("file")
    )
    if clips.is_empty():
        return ["Media: no utterance has a clip", ""], [], True
    probed = probe_all(root / name for name in clips["file"])
    unreadable, dead, odd = [], 0, []
    for row in clips.iter_rows(named=True):
        media = probed[root / row["file"]]
        fault = media.fault or _beyond(row, media)
        if fault:
            unreadable.append(f"{row['place']}: clip {shortened(row['clip'], _PATH)} {fault}")
            dead += row["text"] == ""
        elif min(media.width, media.height) < SMALLEST:
            odd.append(f"{row['place']}: clip {shortened(row['clip'], _PATH)} is {media.width} x {media.height} pixels")
    share = len(unreadable) / clips.height
    faults = []
    if unreadable:
        loud = f"ATTENTION, a run stops above {STOPS:.0%}: " if share > STOPS else ""
        faults += ["", f"{loud}Clips that cannot be used (vision is missing): {len(unreadable):,} ({share:.1%})"]
        faults.append(listed(unreadable, "such clips"))
    if dead:
        faults.append(f"  Without text too: {dead:,}. These utterances would be left out")
    if odd:
        faults += ["", f"Clips that show next to nothing: {len(odd):,}", listed(odd, "such clips")]
    return [*_summary(list(probed.values())), *_across_splits(clips, root), ""], faults, share <= STOPS


def _beyond(row: dict[str, object], media: Media) -> str:
    """Return why a part is not in its clip, "" if it is or the length is unknown."""
    part = split_part(str(row["clip"]))[1]
    if part is None or not media.seconds or part[0] < media.seconds:
        return ""
    return (
        f"is {media.seconds:.1f} s long, and its part begins at {part[0]:.1f} s. If clips are cut already, set "
        "corpus.columns.start_s=null corpus.columns.end_s=null"
    )


def _summary(probed: list[Media]) -> list[str]:
    good = [media for media in probed if not media.fault]
    pictures, decoded = sum(media.is_picture for media in good), sum(media.decoded for media in probed)
    opened = sum(media.decoded or not media.fault for media in probed)
    how_many = "All of them" if decoded == opened else f"{decoded:,} of them, drawn at random,"
    lines = [
        f"Media: {len(probed):,} files. Of those that open, {pictures:,} are pictures and {len(good) - pictures:,} "
        f"videos. {how_many} were decoded to their end"
    ]
    if good:
        smallest, largest = min(good, key=_area), max(good, key=_area)
        lines.append(f"  {smallest.width} x {smallest.height} to {largest.width} x {largest.height} pixels")
    lengths = sorted(media.seconds for media in good if media.seconds)
    if lengths:
        middle = lengths[len(lengths) // 2]
        lines.append(
            f"  videos: {lengths[0]:.1f} s to {lengths[-1]:.1f} s, median {middle:.1f} s; "
            f"{sum(lengths) / 60:.1f} minutes in all"
        )
    return lines


def _area(media: Media) -> int:
    return media.width * media.height


def _across_splits(clips: pl.DataFrame, root: Path) -> list[str]:
    """Return lines on files that are in several splits, compared by their bytes."""
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
