"""What results were computed from and on: checksums of content by stage, and the machine.

A recipe's digest says what a folder should hold. The checksum of its content says what it does hold: two machines give
one recipe other bits. `trml verify` finds the first stage whose content departs.
"""

import os
import platform
from pathlib import Path
from typing import Any

import polars as pl
from threadpoolctl import threadpool_info

from trml.base.artifacts import content_digest
from trml.base.digests import digest
from trml.report.dataset import Dataset

# Each of these chooses instructions in place of the processor.
CHOOSING = ("MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE")


def content(data: Dataset) -> dict[str, str | None]:
    """Return the checksum of what each stage holds, in the order of the stages; None where it is not here."""
    inputs = data.inputs
    folders = {
        "corpus": inputs.corpus,
        "encoder": inputs.encoder,
        "features": inputs.features,
        "references": inputs.references,
    }
    made: dict[str, str | None] = {stage: content_digest(folder) for stage, folder in folders.items()}
    made["cells"] = digest(sorted((cell["digest"], cell["content"]) for cell in data.cells))
    made["probes"] = content_digest(inputs.probes)
    return made


def cell_contents(data: Dataset) -> pl.DataFrame:
    """Return the rows of cells.csv: every cell of every dataset once, with the checksum of its predictions."""
    rows = {
        cell["digest"]: {
            "cell": cell["digest"],
            "method": cell["method"],
            "variant": cell["variant"],
            "content": cell["content"],
            "failed": cell["failed"],
        }
        for dataset in (data, *data.others)
        for cell in dataset.cells
    }
    return pl.DataFrame([rows[name] for name in sorted(rows)], schema=dict.fromkeys(_COLUMNS, pl.String))


_COLUMNS = ("cell", "method", "variant", "content", "failed")


def machine(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what decides the last bits: of the processes that trained, and of this one.

    Args:
        cells: The records of the cells.
    """
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor("model name") or platform.processor(),
        "flags": sorted(flag for flag in _processor("flags").split() if flag.startswith(("avx", "fma", "amx"))),
        "devices": sorted({cell["device"] for cell in cells}),
        "instructions": sorted({cell["instructions"] for cell in cells if "instructions" in cell}),
        "threads": sorted({cell["threads"] for cell in cells if "threads" in cell}),
        "environment": {name: os.environ[name] for name in CHOOSING if name in os.environ},
        "blas": sorted(
            {
                f"{pool['internal_api']} {pool['version']} {pool.get('architecture', '')}".strip()
                for pool in threadpool_info()
                if pool["user_api"] == "blas"
            }
        ),
    }


def _processor(key: str) -> str:
    """Return an entry of the first processor in /proc/cpuinfo, empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), "")
