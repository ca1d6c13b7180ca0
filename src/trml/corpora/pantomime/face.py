"""Draw the faces of pantomime: a mouth for each reading, eyes, and brows whose order tells something.

The brows are up in one half of a clip and down in the other. Both kinds of clip have the same frames and differ in
their order alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIZE = 64  # pixels on a side
_SUPERSAMPLE = 3
# Of nobody: faces of a few strokes in the colours of people would be caricatures.
_SKIN = ((255, 214, 92), (142, 205, 240), (158, 219, 160), (244, 170, 190), (196, 178, 240))
_HAIR = ((60, 60, 75), (40, 90, 120), (120, 80, 140), (150, 150, 150), (200, 110, 60))
_BROWS, _MOUTH, _LIP = (25, 25, 35), (70, 30, 60), (95, 45, 80)  # darker than any skin


@dataclass(frozen=True)
class Looks:
    """How a speaker looks, the same in all their clips."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    width: float
    height: float
    background: tuple[int, int, int]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Looks":
        """Return random looks."""
        return cls(
            skin=_SKIN[int(rng.integers(len(_SKIN)))],
            hair=_HAIR[int(rng.integers(len(_HAIR)))],
            width=float(rng.uniform(20, 23)),
            height=float(rng.uniform(25, 28)),
            background=tuple(int(c) for c in rng.integers(60, 200, size=3)),  # type: ignore[arg-type]
        )


def brow_path(brow: float, frames: int) -> NDArray[np.float64]:
    """Return the height of the brows in each frame: up, then down for brow = 1; a middle frame of an odd clip has 0."""
    return brow * np.sign((frames - 1) / 2 - np.arange(frames))


def clip(
    mouths: NDArray[np.float64], eyes: float, brow: float, looks: Looks, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a clip u8 [frames, 64, 64, 3] with a mouth for each frame, [frames] in [-1, 1]."""
    offset = rng.uniform(-1.5, 1.5, size=2)
    heights = brow_path(brow, len(mouths)) * rng.uniform(0.7, 1.0, size=len(mouths))
    return np.stack(
        [
            still(mouth, eyes, height, looks, offset + rng.uniform(-0.4, 0.4, size=2))
            for mouth, height in zip(mouths, heights, strict=True)
        ]
    )


def still(mouth: float, eyes: float, brow: float, looks: Looks, offset: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a picture u8 [64, 64, 3].

    Args:
        mouth: -1 (frown) to 1 (smile).
        eyes: -1 (narrow) to 1 (wide).
        brow: -1 (low) to 1 (high).
        looks: Whose face it is.
        offset: Of the face from the centre, [2] in pixels.
    """
    k = _SUPERSAMPLE
    picture = Image.new("RGB", (SIZE * k, SIZE * k), looks.background)
    pen = ImageDraw.Draw(picture)
    cx, cy = 32 + float(offset[0]), 33 + float(offset[1])

    def ellipse(x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int]) -> None:
        pen.ellipse([(x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k], fill=colour)

    ellipse(cx, cy - 5, looks.width + 2, looks.height + 1, looks.hair)
    ellipse(cx, cy, looks.width, looks.height - 1, looks.skin)
    openness = 3.6 + 2.6 * eyes
    for side in (-1, 1):
        x = cx + side * 8.5
        ellipse(x, cy - 6, 6.0, openness + 1.0, _BROWS)  # or white eyes would be seen badly on light skin
        ellipse(x, cy - 6, 5.0, openness, (250, 250, 250))
        ellipse(x, cy - 6, 2.0, min(2.2, openness), (25, 25, 35))
        y = cy - 15 - 4.0 * brow
        pen.line([((x - 5) * k, y * k), ((x + 5) * k, y * k)], fill=_BROWS, width=2 * k + 1)
    # The lips of an open mouth are a chord and a bow, below the chord in a smile and above it in a frown.
    xs = np.linspace(-1, 1, 15)
    lift = 1 - xs**2
    chord = [((cx + 14 * x) * k, (cy + 12 - 5.5 * mouth + 3.5 * mouth * v) * k) for x, v in zip(xs, lift, strict=True)]
    bow = [((cx + 14 * x) * k, (cy + 12 - 5.5 * mouth + 13.0 * mouth * v) * k) for x, v in zip(xs, lift, strict=True)]
    pen.polygon(chord + bow[::-1], fill=_MOUTH)
    pen.line(bow, fill=_LIP, width=2 * k, joint="curve")
    return np.asarray(picture.reduce(k))
