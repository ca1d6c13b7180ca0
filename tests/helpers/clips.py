"""Videos as tests make them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(path: Path, n=100, rate=25, size=(48, 64), codec="libx264", times_ms=None, **options) -> Path:
    """A video of a moving bar on noise; with `times_ms` each frame is shown at its own time."""
    noise = np.random.default_rng(0).integers(0, 120, (*size, 3))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = size
        stream.pix_fmt, stream.options = "yuv420p", options
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i in range(n):
            picture = (noise + i * 100 // n).astype(np.uint8)
            picture[:, (3 * i) % size[1]] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            if times_ms is not None:
                frame.pts, frame.time_base = int(times_ms[i]), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
