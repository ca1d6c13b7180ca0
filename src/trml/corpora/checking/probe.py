"""A look at every media file without decoding it: can it be opened, how large and how long is it. Some are decoded."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from trml.base.digests import file_digest
from trml.base.errors import TrmlError
from trml.base.progress import track
from trml.corpora.user_table.clips import is_picture
from trml.sources.formats.video_reader import Clip, read_frames

SAMPLE, FRAMES = 24, 8  # files decoded in full, and frames kept of each

SMALLEST = 16  # pixels a side; less shows nothing


@dataclass(frozen=True)
class Media:
    """One file. `fault`: why it cannot be used, "" where it can. `seconds`: 0 of a picture, or where not told."""

    path: Path
    fault: str
    width: int = 0
    height: int = 0
    seconds: float = 0.0


def probe_all(paths: Iterable[Path]) -> dict[Path, Media]:
    """Open every file, in threads, and decode a sample that is evenly spread over them."""
    files = list(dict.fromkeys(paths))
    decoded = set(files[:: max(1, len(files) // SAMPLE)])
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        found = pool.map(lambda path: probe(path, path in decoded), files)
        return {media.path: media for media in track(found, len(files), "media files opened")}


def probe(path: Path, decode: bool = False) -> Media:
    """What the header of a picture or a video says; the whole of it where it is to be decoded."""
    try:
        media = _picture(path) if is_picture(path.name) else _video(path)
        if decode and not media.fault:
            read_frames(Clip(path), FRAMES)
    # Pillow and FFmpeg raise what they like on files that are none of theirs.
    except (OSError, ValueError, SyntaxError, av.FFmpegError, Image.DecompressionBombError, TrmlError) as error:
        return Media(path, _reason(path, error))
    return media


def _picture(path: Path) -> Media:
    with Image.open(path) as picture:
        return Media(path, "", *picture.size)


def _video(path: Path) -> Media:
    with av.open(str(path)) as container:
        if not container.streams.video:
            return Media(path, "has no video in it, only sound")
        stream = container.streams.video[0]
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        else:
            seconds = (container.duration or 0) / av.time_base
        return Media(path, "", stream.width, stream.height, max(seconds, 0.0))


def _reason(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return "is empty"
    words = str(error).replace(f"{path}", path.name).splitlines() or [type(error).__name__]
    return f"cannot be opened or decoded: {words[0]}"


def same_files(paths: Iterable[Path]) -> list[list[Path]]:
    """Files that hold the same bytes, together. Only files of one size are read."""
    sizes: dict[int, list[Path]] = {}
    for path in dict.fromkeys(paths):
        sizes.setdefault(path.stat().st_size, []).append(path)
    alike = [path for group in sizes.values() if len(group) > 1 for path in group]
    sums: dict[str, list[Path]] = {}
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        digests = pool.map(file_digest, alike)
        for path, checksum in zip(alike, track(digests, len(alike), "files of one size compared"), strict=True):
            sums.setdefault(checksum, []).append(path)
    return [group for group in sums.values() if len(group) > 1]
