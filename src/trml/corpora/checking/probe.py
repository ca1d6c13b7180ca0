"""Probe media files: whether they open, their size and length. A sample of them is decoded."""

import os
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import av
from PIL import UnidentifiedImageError

from trml.base.digests import file_digest
from trml.base.errors import TrmlError
from trml.base.files import not_a_file
from trml.base.printable import one_line
from trml.base.progress import track
from trml.sources.formats.open_media import DAMAGE, open_picture, open_video, video_stream
from trml.sources.formats.video_reader import read_parts

STOPS = 0.02  # share of unreadable clips above which a run stops (features/gather.py)

# Files decoded, and frames kept of each. Where 5 in 100 files cannot be decoded, 97 % of samples of 200 have more than
# 2 in 100 such files; then all are decoded.
SAMPLE, FRAMES = 200, 8

SMALLEST = 16  # pixels a side; a smaller picture shows next to nothing

_END = 1 << 20  # bytes at both ends of a file that are compared first
_WHOLE = 1 << 28  # bytes of a file that is then compared whole


@dataclass(frozen=True)
class Media:
    """A media file.

    Attributes:
        path: Where it is.
        fault: Why it cannot be used, "" if it can.
        width: In pixels.
        height: In pixels.
        seconds: Its length, 0 for a picture or if unknown.
        is_picture: Whether it is one, by its bytes.
        decoded: Whether frames of it were decoded, with success or not.
    """

    path: Path
    fault: str
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    is_picture: bool = False
    decoded: bool = False


def probe_all(paths: Iterable[Path]) -> dict[Path, Media]:
    """Open every file, in threads, and decode a sample of them; all if they are few, or many in the sample are damaged.

    The sample is drawn, since an even one meets what repeats in a folder. It is always the same.
    """
    files = list(dict.fromkeys(paths))
    sample = set(random.Random(0).sample(files, min(SAMPLE, len(files))))
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        probed = pool.map(lambda path: probe(path, path in sample), files)
        found = {media.path: media for media in track(probed, len(files), "media files opened")}
        decoded = [media for media in found.values() if media.decoded]
        others = [media.path for media in found.values() if not media.decoded and not media.fault]
        if sum(media.fault != "" for media in decoded) > STOPS * len(decoded):
            probed = pool.map(lambda path: probe(path, True), others)
            found |= {media.path: media for media in track(probed, len(others), "media files decoded")}
    return found


def probe(path: Path, decode: bool = False) -> Media:
    """Read the header of a picture or video, and decode some of its frames if `decode` is true.

    Its bytes decide what it is, as they do in a run (`read_parts`).
    """
    try:
        try:
            media = _picture(path)
        except UnidentifiedImageError:
            media = _video(path)
    except (*DAMAGE, TrmlError) as error:
        return Media(path, _reason(path, error))
    if not decode or media.fault:
        return media
    (frames,) = read_parts(path, [None], FRAMES, None, lambda frame: frame.size)
    fault = _reason(path, frames) if isinstance(frames, TrmlError) else ""
    return replace(media, fault=fault, decoded=True)


def _picture(path: Path) -> Media:
    with open_picture(path) as picture:
        return Media(path, "", *picture.size, is_picture=True)


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
    if isinstance(error, av.InvalidDataError):
        return "cannot be opened or decoded: it is not a picture or video, or is damaged"
    words = str(error).replace(f"{path}", path.name).splitlines() or [type(error).__name__]
    return f"cannot be opened or decoded: {one_line(words[0])}"


def same_files(paths: Iterable[Path]) -> list[list[Path]]:
    """Return groups of files with equal bytes. Only files of equal size are read: their ends, and then the whole.

    Of files of more than 256 MB the ends suffice. A sparse file can state any size, and would be read for hours.
    """
    groups = [list(dict.fromkeys(paths))]
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        for key, what in ((_size, ""), (_ends, "files compared"), (_whole, "")):
            candidates = [path for group in groups if len(group) > 1 for path in group]
            keys = pool.map(key, candidates)
            alike: dict[object, list[Path]] = {}
            for path, of_path in zip(candidates, track(keys, len(candidates), what) if what else keys, strict=True):
                alike.setdefault(of_path, []).append(path)
            groups = list(alike.values())
    return [group for group in groups if len(group) > 1]


def _size(path: Path) -> int:
    return path.stat().st_size


def _ends(path: Path) -> tuple[int, str]:
    size = _size(path)
    with path.open("rb") as file:
        start = file.read(_END)
        file.seek(max(0, size - _END))
        return size, sha256(start + file.read(_END)).hexdigest()


def _whole(path: Path) -> tuple[int, str]:
    size, ends = _ends(path)
    return size, ends if size <= 2 * _END or size > _WHOLE else file_digest(path)
