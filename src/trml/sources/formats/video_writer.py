"""Write clips as mp4, with PyAV."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FRAMES_PER_SECOND = 8


def write_video(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write frames [T, H, W, 3] as H.264 in mp4. Equal frames give equal bytes.

    Three settings ensure that. The encoder has one thread. Macroblock-tree rate control is off: with it, x264 wrote up
    to sixteen different files from the same 64 x 64 frames. Frames are converted to yuv420p before they are encoded.
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
