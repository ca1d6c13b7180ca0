"""Open pictures and videos from outside: each by the reader of its own kind, from the one file, within the budget.

FFmpeg reads far more than videos: lists of other files, network addresses, text as pictures of letters. Pillow turns
16-bit and floating-point pixels into 8 bits by cutting them off. Neither happens here.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from PIL import Image, ImageOps

from trml.base.errors import ClipUnreadable

# Of a picture or frame, and of all that threads hold at once: 340 MB in RGB, twice while a picture is read.
PIXELS = 89_478_485

_PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

# Containers of one video in one file; those of sound alone, so that a message can say that there is no video.
_CONTAINERS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,flv,asf,ogg,nut,ivf,gif,mp3,wav,flac,aac"

_WITHOUT_RANGE = ("I", "F")  # Pillow's modes of pixels that may be any number

_LISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<smil", b"<MPD")  # of other files

# What Pillow, FFmpeg and arithmetic with the numbers of a header raise on damaged files and on files of other formats.
DAMAGE = (
    OSError, ValueError, SyntaxError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
    RuntimeError, EOFError, av.FFmpegError, Image.DecompressionBombError,
)  # fmt: skip

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # such pictures are refused


class _Room:
    """The pixels that threads may have in memory at the same time. One picture or frame always fits."""

    def __init__(self, most: int) -> None:
        self.most, self.taken, self.changed = most, 0, Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until there is room, and hold it for the length of a block."""
        with self.changed:
            self.changed.wait_for(lambda: self.taken == 0 or self.taken + pixels <= self.most)
            self.taken += pixels
        try:
            yield
        finally:
            with self.changed:
                self.taken -= pixels
                self.changed.notify_all()


_room = _Room(PIXELS)


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """Yield a picture that is opened, not decoded.

    Raises:
        UnidentifiedImageError: If it is none.
        ClipUnreadable: If it has too many pixels, or 8 bits cannot hold them.
    """
    with Image.open(path, formats=_PICTURES) as picture, room(*picture.size):
        if picture.mode in _WITHOUT_RANGE:
            kind = "floating-point" if picture.mode == "F" else "32-bit"
            raise ClipUnreadable(f"it has {kind} pixels, of no known range; expected 8 or 16 bits")
        yield picture


@contextmanager
def room(width: int, height: int) -> Iterator[None]:
    """Hold the memory of a picture for the length of a block; raise ClipUnreadable beyond the budget."""
    if width * height > PIXELS:
        raise ClipUnreadable(f"it has {width} x {height} pixels; expected at most {PIXELS:,}")
    with _room.hold(width * height):
        yield


def decoded(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB, turned as its EXIF data say. 16 bits are scaled to 8."""
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I;16"):
        grey = np.asarray(picture).astype(np.uint32)
        return Image.fromarray(((grey + 128) // 257).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")


def open_video(path: Path) -> Any:
    """Return the open container of a video file.

    Raises:
        ClipUnreadable: If it is a list of other files, or FFmpeg takes it for something else than a video.
        av.FFmpegError: If it is no video.
    """
    with path.open("rb") as file:
        if file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_LISTS):
            raise ClipUnreadable("it is a list of other files; expected one picture or video")
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
    try:
        return av.open(f"file:{path}", options=options)
    except av.ArgumentError:  # FFmpeg knows it, as something else
        raise ClipUnreadable("it is not a picture or video, or is damaged") from None


def video_stream(container: Any) -> Any:
    """Return the first video stream, without a cover picture, ready to be decoded by one thread.

    Raises:
        ClipUnreadable: If there is none, its codec is unknown, or its frames are larger than the budget.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise ClipUnreadable("it has no video stream")
    stream = streams[0]
    if stream.codec_context is None:
        raise ClipUnreadable("its codec is not known to FFmpeg")
    if stream.codec_context.width * stream.codec_context.height > PIXELS:
        size = f"{stream.codec_context.width} x {stream.codec_context.height}"
        raise ClipUnreadable(f"it has frames of {size} pixels; expected at most {PIXELS:,}")
    if not stream.time_base:
        raise ClipUnreadable("it has no unit of time")
    stream.codec_context.options = {"max_pixels": str(PIXELS)}  # frames may grow on the way
    stream.thread_type = "NONE"
    return stream
