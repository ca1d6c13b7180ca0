"""Draw the faces of pantomime: speakers whose expression moves from neutral through onset and apex to offset.

Mouth and eyes follow an envelope that is near zero at both ends, so some frames are more informative than others. The
brows rise then fall, or fall then rise; everything else is symmetric in time. The two clips have the same frames and
differ in their order alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIZE = 64  # pixels on a side

_SUPERSAMPLE = 3

_SKIN = ((255, 219, 190), (234, 192, 150), (198, 145, 102), (141, 92, 60), (94, 60, 40))

_HAIR = ((40, 30, 25), (110, 70, 35), (200, 160, 80), (150, 150, 150), (150, 60, 30))


@dataclass(frozen=True)
class Speaker:
    """The appearance of a speaker, the same in all their clips and independent of the label."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    width: float
    height: float
    background: tuple[int, int, int]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Speaker":
        """Return a random speaker."""
        return cls(
            skin=_SKIN[int(rng.integers(len(_SKIN)))],
            hair=_HAIR[int(rng.integers(len(_HAIR)))],
            width=float(rng.uniform(19, 23)),
            height=float(rng.uniform(23, 27)),
            background=tuple(int(c) for c in rng.integers(60, 200, size=3)),  # type: ignore[arg-type]
        )


def envelope(frames: int) -> NDArray[np.float64]:
    """Return the strength of the expression in each frame, f64 [frames] in [0, 1]."""
    time = np.linspace(0, 1, frames)
    return np.interp(np.minimum(time, 1 - time), [0.0, 0.1, 0.4], [0.0, 0.05, 1.0])


def brow_path(brow: int, frames: int) -> NDArray[np.float64]:
    """Return the height of the brows in each frame, f64 [frames] in [-1, 1]: up then down for brow = 1."""
    return brow * np.sin(2 * np.pi * np.linspace(0, 1, frames))


def clip(
    shared: int, vision_only: int, brow: int, speaker: Speaker, frames: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a clip u8 [frames, 64, 64, 3] that shows these levels."""
    offset = rng.uniform(-2, 2, size=2)
    strengths, heights = envelope(frames), brow_path(brow, frames)
    return np.stack(
        [
            still(shared * a, vision_only * a, b, speaker, offset + rng.uniform(-0.4, 0.4, size=2))
            for a, b in zip(strengths, heights, strict=True)
        ]
    )


def still(mouth: float, eyes: float, brow: float, speaker: Speaker, offset: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a picture u8 [64, 64, 3].

    Args:
        mouth: -2 (frown) to 2 (smile).
        eyes: -1 (narrow) to 1 (wide).
        brow: -1 (low) to 1 (high).
        speaker: Whose face it is.
        offset: Of the face from the centre, [2] in pixels.
    """
    k = _SUPERSAMPLE
    picture = Image.new("RGB", (SIZE * k, SIZE * k), speaker.background)
    pen = ImageDraw.Draw(picture)
    cx, cy = 32 + float(offset[0]), 34 + float(offset[1])

    def ellipse(x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int]) -> None:
        pen.ellipse([(x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k], fill=colour)

    ellipse(cx, cy - 5, speaker.width + 2, speaker.height + 1, speaker.hair)
    ellipse(cx, cy, speaker.width, speaker.height - 1, speaker.skin)
    openness = 3.4 + 2.4 * eyes
    for side in (-1, 1):
        x = cx + side * 8.5
        ellipse(x, cy - 5, 4.8, openness, (250, 250, 250))
        ellipse(x, cy - 5, 2.0, min(2.2, openness), (25, 25, 35))
        y = cy - 14 - 4.5 * brow
        pen.line([((x - 5) * k, y * k), ((x + 5) * k, y * k)], fill=speaker.hair, width=2 * k + 1)
    # The lips of an open mouth are a chord and a bow, below the chord in a smile and above it in a frown.
    xs = np.linspace(-1, 1, 15)
    lift = 1 - xs**2
    chord = [((cx + 12 * x) * k, (cy + 12 - 2.2 * mouth + 1.6 * mouth * v) * k) for x, v in zip(xs, lift, strict=True)]
    bow = [((cx + 12 * x) * k, (cy + 12 - 2.2 * mouth + 5.0 * mouth * v) * k) for x, v in zip(xs, lift, strict=True)]
    pen.polygon(chord + bow[::-1], fill=(120, 10, 30))
    pen.line(bow, fill=(160, 20, 40), width=2 * k, joint="curve")
    return np.asarray(picture.reduce(k))
