"""Sets a process up for the device it computes on."""

import ctypes
from contextlib import suppress

import torch

from trml.base.errors import TrmlError


def set_up(wanted: str, threads: int) -> torch.device:
    """The device that `wanted` (auto, cpu or cuda) means here; torch gets these threads and no more.

    Raises TrmlError where there is no such device.
    """
    torch.set_num_threads(threads)
    _keep_memory()
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise TrmlError("device is cuda, but torch finds no CUDA device here; set device=auto or device=cpu")
    return torch.device("cuda" if wanted != "cpu" and there else "cpu")


def _keep_memory() -> None:
    """Have glibc keep freed memory for the next array of a training step.

    Otherwise it gives large arrays back to the system and gets fresh pages for each new one, which took a tenth of a
    training's time. Elsewhere than on glibc nothing happens.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)
