"""Probe media files: whether they open, their size and length. A sample of them is decoded."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av

from trml.base.digests import file_digest
from trml.base.errors import TrmlError
from trml.base.files import not_a_file
from trml.base.printable import one_line
from trml.base.progress import track
from trml.corpora.user_table.clips import is_picture
from trml.sources.formats.open_media import DAMAGE, open_picture, open_video, video_stream
from trml.sources.formats.video_reader import read_parts

SAMPLE, FRAMES = 24, 8  # files decoded in full, and frames kept of each

SMALLEST = 16  # pixels a side; a smaller picture shows next to nothing


@dataclass(frozen=True)
class Media:
    """A media file.

    Attributes:
        path: Where it is.
        fault: Why it cannot be used, "" if it can.
        width: In pixels.
        height: In pixels.
        seconds: Its length, 0 for a picture or if unknown.
    """

    path: Path
    fault: str
    width: int = 0
    height: int = 0
    seconds: float = 0.0


def probe_all(paths: Iterable[Path]) -> dict[Path, Media]:
    """Open every file, in threads, and decode an evenly spaced sample of them."""
    files = list(dict.fromkeys(paths))
    decoded = set(files[:: max(1, len(files) // SAMPLE)])
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        probed = pool.map(lambda path: probe(path, path in decoded), files)
        return {media.path: media for media in track(probed, len(files), "media files opened")}


def probe(path: Path, decode: bool = False) -> Media:
    """Read the header of a picture or video, and decode some of its frames if `decode` is true."""
    try:
        media = _picture(path) if is_picture(path.name) else _video(path)
        if decode:
            (frames,) = read_parts(path, [None], FRAMES, None, lambda frame: frame.size)
            if isinstance(frames, TrmlError):
                raise frames
    except (*DAMAGE, TrmlError) as error:
        return Media(path, _reason(path, error))
    return media


def _picture(path: Path) -> Media:
    with open_picture(path) as picture:
        return Media(path, "", *picture.size)


def _video(path: Path) -> Media:
    with open_video(path) as container:
        if not container.streams.video:
            return Media(path, "contains sound, but no video")
        stream = video_stream(container)
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        else:
            seconds = (container.duration or 0) / av.time_base
        size = stream.codec_context.width, stream.codec_context.height
        return Media(path, "", *size, max(seconds, 0.0))


def _reason(path: Path, error: Exception) -> str:
    if (kind := not_a_file(path)) is not None:
        return kind
    if path.stat().st_size == 0:
        return "is empty"
    words = str(error).replace(f"{path}", path.name).splitlines() or [type(error).__name__]
    return f"cannot be opened or decoded: {one_line(words[0])}"


def same_files(paths: Iterable[Path]) -> list[list[Path]]:
    """Return groups of files with equal bytes. Only files of equal size are read."""
    sizes: dict[int, list[Path]] = {}
    for path in dict.fromkeys(paths):
        sizes.setdefault(path.stat().st_size, []).append(path)
    candidates = [path for group in sizes.values() if len(group) > 1 for path in group]
    sums: dict[str, list[Path]] = {}
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        digests = pool.map(file_digest, candidates)
        for path, checksum in zip(candidates, track(digests, len(candidates), "files compared"), strict=True):
            sums.setdefault(checksum, []).append(path)
    return [group for group in sums.values() if len(group) > 1]
