"""Clips as files: writing mp4 through PyAV, and decoding any video or picture file to RGB frames."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trml.errors import ContractError

FRAMES_PER_SECOND = 8
_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


def write_video(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write frames [T, H, W, 3] as H.264 in mp4; the same frames give the same bytes.

    For that the encoder has one thread and no macroblock-tree rate control, with which x264 wrote up to sixteen
    different files from the same 64 x 64 frames, and the frames are converted to its colours before they enter it.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "14", "preset": "veryfast", "threads": "1", "x264-params": "mbtree=0:rc-lookahead=0"}
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=stream.pix_fmt)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def read_frames(path: Path, count: int) -> list[Image.Image]:
    """At most `count` RGB frames of a clip, evenly spread over it; a picture is a clip of one frame.

    Raises ContractError if the file is absent or cannot be decoded.
    """
    try:
        if path.suffix.lower() in _PICTURES:
            with Image.open(path) as picture:
                return [picture.convert("RGB")]
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "NONE"
            frames = list(container.decode(video=0))
            keep = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
            pictures = [frames[i].to_image() for i in keep]
    except (OSError, av.FFmpegError) as error:
        raise ContractError(f"clip {path} cannot be decoded: {error}") from None
    if not pictures:
        raise ContractError(f"clip {path} has no frames")
    return pictures
