"""TODO docstring."""

from typing import Literal

# What may be missing: one modality, either of the two (by a fair coin, never both), or frames of the clip.
Victim = Literal["vision", "text", "either", "frames"]

FRAME_RATES = (0.1, 0.3, 0.5, 0.7, 0.9)  # at which a cell is evaluated with frames missing; 1 is vision missing
