"""Read a few frames of a picture, a video or parts of one, without decoding the rest.

A file's bytes decide what it is, not its name. Times count from the video's first frame. Files are from outside:
open_media.py says what is opened.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
from PIL import Image, UnidentifiedImageError

from trml.base.errors import ClipUnreadable
from trml.sources.formats.media_fragment import split_part
from trml.sources.formats.open_media import DAMAGE, FRAMES, decoded, open_picture, open_video, room, video_stream

T = TypeVar("T")

Part = tuple[float, float]

_SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")  # containers with an index

_CUT_OFF_S = 0.5  # a video may end this much earlier than it states


@dataclass(frozen=True)
class Clip:
    """A picture or video file, or the seconds `part` of a video."""

    path: Path
    part: Part | None = None

    @classmethod
    def parse(cls, clip: str, folder: Path) -> "Clip":
        """Return the clip that a corpus's table names: `a.jpg`, `a.mp4` or `a.mp4#t=12.3,15.2`, below `folder`."""
        name, part = split_part(clip)
        return cls(folder / name, part)


def read_frames(clip: Clip, count: int, per_second: float | None = None) -> list[Image.Image]:
    """Return the frames of a clip as RGB pictures (see `read_parts`); raise ClipUnreadable with the reason."""
    (frames,) = read_parts(clip.path, [clip.part], count, per_second, lambda picture: picture)
    if isinstance(frames, ClipUnreadable):
        raise frames
    return frames


def read_parts(
    path: Path, parts: Sequence[Part | None], count: int, per_second: float | None, take: Callable[[Image.Image], T]
) -> list[list[T] | ClipUnreadable]:
    """Read evenly spaced frames of parts of a file: those shown in the middle of equal spans.

    Args:
        path: The file. A picture is one frame.
        parts: The seconds (start, end) of each part, None for the whole file.
        count: The most frames of a part.
        per_second: Frames a second, if that makes fewer than `count`.
        take: Turns a frame, an RGB picture, into what is returned, as soon as it is decoded. Pictures are not kept.

    Returns:
        For each part, its frames in order (one that is in the middle of two spans is returned once), or why it cannot
        be read.
    """
    try:
        if path.stat().st_size == 0:
            raise ClipUnreadable("it is empty")
        try:
            with open_picture(path) as picture:
                one = take(decoded(picture))
                return [[one] for _ in parts]
        except UnidentifiedImageError:
            return _read_video(path, parts, count, per_second, take)
    except FileNotFoundError:
        error = ClipUnreadable("it does not exist")
    except av.InvalidDataError:
        error = ClipUnreadable("it is not a picture or video, or is damaged")
    except DAMAGE as failure:
        reason = (str(failure).strip().splitlines() or [type(failure).__name__])[0]
        error = ClipUnreadable(reason.replace(f"{path}", path.name))
    except ClipUnreadable as unreadable:
        error = unreadable
    return [error for _ in parts]


def _read_video(
    path: Path, parts: Sequence[Part | None], count: int, per_second: float | None, take: Callable[[Image.Image], T]
) -> list[list[T] | ClipUnreadable]:
    with open_video(path) as container:
        stream = video_stream(container)
        seekable = container.format.name in _SEEKABLE
        timeline = _Timeline.of(container, stream, parts, seekable)
        width, height = stream.codec_context.width, stream.codec_context.height
    wanted: list[list[int] | ClipUnreadable] = []
    for part in parts:
        try:
            wanted.append(timeline.spread(part, count, per_second))
        except ClipUnreadable as error:
            wanted.append(error)
    every = {pts for of_part in wanted if isinstance(of_part, list) for pts in of_part}
    frames: dict[int, T] = {}
    with room(width, height):
        if seekable:
            for key, stretch in timeline.stretches(every).items():
                _decode(path, key, stretch, frames, take)
        if every - frames.keys():  # no index, or a wrong one: decode everything from the start
            _decode(path, None, every - frames.keys(), frames, take)
    return [timeline.those(of_part, frames) if isinstance(of_part, list) else of_part for of_part in wanted]


@dataclass(frozen=True)
class _Timeline:
    """When the frames of a video, or of the stretch around its parts, are shown. No frame is decoded to find out.

    Attributes:
        pts: Presentation times of the frames, in units of `unit` seconds, sorted.
        keys: Those of key frames, which can be decoded without an earlier frame.
        zero: Of the first frame.
        end: Of the end of the last frame that was seen.
        unit: In seconds.
        stated_s: The length that the video states, in seconds.
    """

    pts: Sequence[int]
    keys: Sequence[int]
    zero: int
    end: int
    unit: Fraction
    stated_s: float

    @classmethod
    def of(cls, container: Any, stream: Any, parts: Sequence[Part | None], seekable: bool) -> "_Timeline":
        """Read the packets between the start of the first part and the end of the last one."""
        unit, zero = stream.time_base, stream.start_time or 0
        known = [part for part in parts if part is not None]
        if seekable and len(known) == len(parts):
            container.seek(zero + int(max(0, min(known)[0]) / unit), stream=stream)
        last = zero + max(part[1] for part in known) / unit if len(known) == len(parts) else None
        pts: list[int] = []
        keys: list[int] = []
        end = zero
        for packet in container.demux(stream):
            if packet.pts is None or packet.is_discard:
                continue
            if last is not None and pts and packet.dts is not None and packet.dts > last:
                break  # no later packet is shown before this one is decoded
            pts.append(packet.pts)
            if len(pts) > FRAMES:
                raise ClipUnreadable(f"it has more than {FRAMES:,} frames")
            end = max(end, packet.pts + (packet.duration or 0))
            if packet.is_keyframe:
                keys.append(packet.pts)
        if not pts:
            raise ClipUnreadable("it has no frames, or none with a time: bare H.264 has none; expected MP4, MKV, ...")
        stated = end - zero if stream.duration is None else stream.duration
        return cls(sorted(pts), sorted(keys), zero, end, unit, float(stated * unit))

    def _seconds(self, pts: float) -> float:
        return float((pts - self.zero) * self.unit)

    def spread(self, part: Part | None, count: int, per_second: float | None) -> list[int]:
        """Return the times of the frames to read, in order; raise ClipUnreadable if part of them is absent."""
        available = self._seconds(self.end)
        start, end = part or (self._seconds(self.pts[0]), max(available, self.stated_s))
        if end < start:
            raise ClipUnreadable(f"its part ends at {end:g} s, before it starts at {start:g} s")
        if start > max(available, self.stated_s):
            raise ClipUnreadable(f"its part starts at {start:g} s, after the video's end at {self.stated_s:.1f} s")
        if available < min(end, self.stated_s) - _CUT_OFF_S:
            raise ClipUnreadable(f"it is cut off at {available:.1f} s of {self.stated_s:.1f} s")
        end = max(start, min(end, available))
        n = count if per_second is None else min(count, max(1, round((end - start) * per_second)))
        middles = [self.zero + (start + (i + 0.5) / n * (end - start)) / self.unit for i in range(n)]
        return list(dict.fromkeys(self.pts[max(0, bisect_right(self.pts, middle) - 1)] for middle in middles))

    def stretches(self, wanted: set[int]) -> dict[int, set[int]]:
        """Return the wanted frames by the key frame from which they can be decoded."""
        by_key: dict[int, set[int]] = {}
        for pts in sorted(wanted):
            by_key.setdefault(self.keys[max(0, bisect_right(self.keys, pts) - 1)] if self.keys else 0, set()).add(pts)
        return by_key

    def those(self, wanted: list[int], frames: dict[int, T]) -> list[T] | ClipUnreadable:
        """Return the wanted frames, or why they are not complete."""
        absent = [pts for pts in wanted if pts not in frames]
        if absent:
            return ClipUnreadable(f"its frame at {self._seconds(absent[0]):.2f} s cannot be decoded")
        return [frames[pts] for pts in wanted]


def _decode(
    path: Path, key: int | None, wanted: set[int], frames: dict[int, T], take: Callable[[Image.Image], T]
) -> None:
    """Decode the wanted frames and add them to `frames`, by their presentation times.

    With a key frame, decoding starts there and skips frames that no other frame depends on. Without one (None), it
    starts at the beginning and skips none.
    """
    left, last = set(wanted), max(wanted)
    with open_video(path) as container:
        stream = video_stream(container)
        if key is not None:
            container.seek(key, stream=stream)
        for packet in container.demux(stream):
            needed = key is None or packet.pts is None or packet.pts in wanted
            stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
            for frame in packet.decode():
                if frame.pts in left and not frame.is_corrupt:
                    frames[frame.pts] = take(_upright(frame))
                    left.discard(frame.pts)
                if not left or (frame.pts is not None and frame.pts > last):
                    return


def _upright(frame: Any) -> Image.Image:
    """Return the frame as a picture, rotated as the container states."""
    picture = frame.to_image()
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture
