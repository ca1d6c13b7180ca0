"""What torch computes on: the kind of device and the number of threads. Both move the last bits of a number."""

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from trml.planning.source_digest import source_digest

Device = Literal["cpu", "cuda"]
_DRIVER = ("/dev/nvidiactl", "/dev/dxg")  # NVIDIA's driver on Linux, and under Windows' subsystem for Linux


@dataclass(frozen=True)
class Compute:
    """The kind of device and the number of threads of every process that computes with torch."""

    device: Device
    threads: int

    def recipe(self) -> dict[str, Any]:
        """Return what a recipe says: device, threads, MKL's choice of kernels (trml/__init__.py), and what sets up."""
        return {
            "device": self.device,
            "threads": self.threads,
            "mkl": os.environ.get("MKL_CBWR"),
            "set_up": source_digest("trml.device"),
        }


def resolve_device(configured: Literal["auto", "cpu", "cuda"]) -> Device:
    """Return the kind of device that a configuration means on this machine, without importing torch.

    `auto` is `cuda` if the driver is loaded, CUDA_VISIBLE_DEVICES does not hide all devices, and the installed torch is
    no build for the CPU alone. A process that computes checks it against torch (trml/device.py).
    """
    if configured != "auto":
        return configured
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1")
    has_driver = any(Path(path).exists() for path in _DRIVER)
    return "cuda" if has_driver and not hidden and not _is_cpu_build() else "cpu"


def _is_cpu_build() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return True
