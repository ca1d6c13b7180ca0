"""Set a process up for the device and the threads that it computes with.

All that computes with torch runs this first, so its source is a part of their recipes.
"""

import ctypes
from contextlib import suppress
from typing import Literal

import torch

from trml.base.errors import TrmlError


def set_up(kind: Literal["cpu", "cuda"], threads: int, portable: bool = False) -> torch.device:
    """Limit torch to these threads and return the device.

    Raises:
        TrmlError: If the device is `cuda` and torch finds none. Results are named by the device that was planned, so
            another one cannot stand in for it. Or if the instructions are to be AVX2, and are not.
    """
    torch.set_num_threads(threads)
    _keep_memory()
    if kind == "cuda" and not torch.cuda.is_available():
        raise TrmlError(
            "the configuration means a CUDA device, but torch finds none. Compute on the CPU: set device=cpu"
        )
    instructions = torch.backends.cpu.get_cpu_capability()
    if portable and instructions != "AVX2":
        raise TrmlError(
            f"the configuration has portable=true, but torch uses {instructions} instructions here; expected AVX2. "
            "Compute with what this processor has: set portable=false"
        )
    return torch.device(kind)


def _keep_memory() -> None:
    """Have glibc keep freed memory for the next array of a training step.

    Otherwise it returns large arrays to the system and gets fresh pages for each new one, which took a tenth of a
    training's time. Without glibc nothing happens.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)
