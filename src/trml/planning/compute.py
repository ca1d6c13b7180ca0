"""What torch computes on: the kind of device, threads and instructions. All of them move the last bits of a number."""

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from trml.planning.source_digest import source_digest

Device = Literal["cpu", "cuda"]
FOUND = "TRML_DEVICE"  # in the environment of jobs: what `auto` is where the run started
_DRIVER = ("/dev/nvidiactl", "/dev/dxg")  # NVIDIA's driver on Linux, and under Windows' subsystem for Linux

# What chooses instructions by the processor: MKL (matrix products), ATen (its own kernels), oneDNN (convolution, GELU).
_AVX2 = {"MKL_CBWR": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


@dataclass(frozen=True)
class Compute:
    """How every process computes that computes with torch.

    Attributes:
        device: The kind of device.
        threads: Their number.
        portable: Whether it keeps to the instructions that every x86 processor since 2013 has.
    """

    device: Device
    threads: int
    portable: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a process must have before torch is imported."""
        return _AVX2 if self.portable else {}

    def recipe(self) -> dict[str, Any]:
        """Return what a recipe says. The processor is not in it: on another one the same recipe may have other bits."""
        return {
            "device": self.device,
            "threads": self.threads,
            "environment": self.environment,
            "set_up": source_digest("trml.device"),
        }


def resolve_device(configured: Literal["auto", "cpu", "cuda"]) -> Device:
    """Return the kind of device that a configuration means on this machine, without importing torch.

    `auto` is `cuda` if the driver is loaded, CUDA_VISIBLE_DEVICES does not hide all devices, and the installed torch is
    no build for the CPU alone. A process that computes checks it against torch (trml/device.py).
    The jobs of a run take it for what it is where the run started, on whichever machine they are: it is in all names.
    """
    if configured != "auto":
        return configured
    if os.environ.get(FOUND) in ("cpu", "cuda"):
        return "cuda" if os.environ[FOUND] == "cuda" else "cpu"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1")
    has_driver = any(Path(path).exists() for path in _DRIVER)
    return "cuda" if has_driver and not hidden and not _is_cpu_build() else "cpu"


def _is_cpu_build() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return True
