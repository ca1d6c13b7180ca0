"""Open pictures and videos from outside: each by the reader of its own kind, from the one file, within the budget.

FFmpeg reads far more than videos: lists of other files, network addresses, text as pictures of letters. Pillow turns
16-bit and floating-point pixels into 8 bits by cutting them off. Neither happens here.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Condition
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from trml.base.confined import try_first
from trml.base.errors import ClipUnreadable, ContractError

# Of a picture or frame, and of all that threads hold at once: 150 MB in RGB. Decoders take up to 17 bytes a pixel.
PIXELS = 50_000_000

SCANS = 100  # of a JPEG, each of which the decoder goes over all pixels for; a progressive one has some ten

FRAMES = 2_000_000  # of a video: 22 hours of 25 a second

_PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

# Containers of one video in one file; those of sound alone, so that a message can say that there is no video.
_CONTAINERS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,flv,asf,ogg,nut,ivf,gif,mp3,wav,flac,aac"

_WITHOUT_RANGE = ("I", "F")  # Pillow's modes of pixels that may be any number
_ROWS = 256  # of a picture, at a time
_SIGNED, _WHITE_IS_ZERO = 2, 0  # values of the tags SampleFormat and PhotometricInterpretation of a TIFF

# Major brands of HEIF: pictures and sequences of them, in HEVC or AV1. A telephone stores a photo as some fifty tiles.
# FFmpeg lists each as a video of its own, and the first, a corner of the photo, would count as all of it.
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"avif", b"avis")

_LISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<smil", b"<MPD")  # of other files

# What Pillow, FFmpeg and arithmetic with the numbers of a header raise on damaged files and on files of other formats.
DAMAGE = (
    OSError, ValueError, SyntaxError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
    RuntimeError, AssertionError, SystemError, EOFError, struct.error, zlib.error, av.FFmpegError,
    Image.DecompressionBombError,
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
        ClipUnreadable: If it has too many pixels or scans, or 8 bits cannot hold its pixels.
    """
    with Image.open(path, formats=_PICTURES) as picture, room(*picture.size):
        if picture.mode in _WITHOUT_RANGE:
            kind = "floating-point" if picture.mode == "F" else "32-bit"
            raise ClipUnreadable(f"it has {kind} pixels, of no known range; expected 8 or 16 bits")
        if _SIGNED in _tag(picture, "SampleFormat"):
            raise ClipUnreadable("it has pixels below zero, of no known range; expected 8 or 16 bits")
        if picture.format in ("JPEG", "MPO") and _scans(path) > SCANS:
            raise ClipUnreadable(f"it has more than {SCANS} scans; a JPEG has some ten")
        yield picture


@contextmanager
def room(width: int, height: int) -> Iterator[None]:
    """Hold the memory of a picture for the length of a block; raise ClipUnreadable beyond the budget."""
    if width * height > PIXELS:
        raise ClipUnreadable(f"it has {width} x {height} pixels; expected at most {PIXELS:,}")
    with _room.hold(width * height):
        yield


def decoded(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB, turned as its EXIF data say. 16 bits are scaled to 8; what is transparent is white."""
    picture.load()
    try:
        picture.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:
        pass  # EXIF data that cannot be read say nothing
    else:
        for written in ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"):
            picture.info.pop(written, None)  # or Pillow writes them anew, which fails where they are odd
        ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray(_eight_bits(picture))
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    white, picture = Image.new("RGB", picture.size, "white"), picture.convert("RGBA")
    white.paste(picture, mask=picture)  # the colours below transparent pixels are seen nowhere else
    return white


def _eight_bits(picture: Image.Image) -> NDArray[np.uint8]:
    """Return grey pixels of 16 bits, or of 12 in 16, in 8."""
    most = 4095 if _tag(picture, "BitsPerSample") == (12,) else 65535
    white_is_zero = _tag(picture, "PhotometricInterpretation") == (_WHITE_IS_ZERO,)
    grey = np.asarray(picture)
    eight = np.empty(grey.shape, np.uint8)
    for row in range(0, len(grey), _ROWS):  # by stretches: sums of all pixels at once would take 14 bytes a pixel
        stretch = grey[row : row + _ROWS].astype(np.uint32)
        eight[row : row + _ROWS] = ((most - stretch if white_is_zero else stretch) * 255 + most // 2) // most
    return eight


def _tag(picture: Image.Image, name: str) -> tuple[int, ...]:
    """Return the values of a tag of a TIFF, none of another picture."""
    values = getattr(picture, "tag_v2", {}).get(ExifTags.Base[name], ())
    return values if isinstance(values, tuple) else (values,)


def _scans(path: Path) -> int:
    """Return how many scans a JPEG has; their marker is nowhere in what is encoded."""
    count, last = 0, b""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            count += (last + piece).count(b"\xff\xda")
            last = piece[-1:]
    return count


def open_video(path: Path) -> Any:
    """Return the open container of a video file.

    Raises:
        ClipUnreadable: If it is a list of other files, a picture in tiles, or FFmpeg takes it for something else than a
            video.
        av.FFmpegError: If it is no video.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_LISTS):
        raise ClipUnreadable("it is a list of other files; expected one picture or video")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        raise ClipUnreadable(
            "it is a HEIC or AVIF picture, whose tiles are not put together; expected JPEG or PNG. Convert it"
        )
    state = path.stat()
    if fault := _tried(path.absolute(), state.st_mtime_ns, state.st_size):
        raise ClipUnreadable(fault)
    return _open_video(path)


def _open_video(path: Path) -> Any:
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
    try:
        return av.open(f"file:{path}", options=options)
    except av.ArgumentError:  # FFmpeg knows it, as something else
        raise ClipUnreadable("it is not a picture or video, or is damaged") from None


@lru_cache(maxsize=4096)
def _tried(path: Path, changed_ns: int, size: int) -> str | None:
    """Return why a video cannot be opened within the budget, None if it can: few bytes may state millions of frames."""
    try:
        try_first(path, __name__)
    except ContractError as error:
        return str(error).replace(f"{path} ", "it ")
    return None


def attempt(path: Path) -> None:
    """Read the packets of a video, decoding none, in the process that is held to the budget.

    Raises:
        ClipUnreadable: If it states more frames than a video may have, or has bytes.
        MemoryError: If it takes too much.
    """
    try:
        with _open_video(path) as container:
            # FFmpeg makes an index of all that are stated, and goes on without one where memory ends.
            for stream in container.streams:
                if stream.frames > (FRAMES if stream.type == "video" else path.stat().st_size):
                    raise ClipUnreadable(f"it states {stream.frames:,} frames; expected at most {FRAMES:,}")
            for count, _ in enumerate(container.demux()):
                if count > FRAMES:
                    return  # the timeline says so
    except MemoryError:
        raise
    except DAMAGE:
        return  # whoever reads it has a reason for each


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
