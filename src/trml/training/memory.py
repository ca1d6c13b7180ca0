"""How many cells fit into one stack."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from trml.training.stack_run import StackRun

CPU_CHUNK = 48  # more gain nothing; see docs/performance.md
GPU_CHUNK = 256

_GROUPS = Path("/sys/fs/cgroup")


def chunk_size(sample: StackRun) -> int:
    """Return how many cells like those of a run to train at once.

    Half of the memory holds them: on the CPU half of a core's share, on a GPU half of its own.
    """
    if sample.device.type == "cuda":
        memory, most = float(torch.cuda.get_device_properties(sample.device).total_memory), GPU_CHUNK
    else:
        memory, most = memory_a_core(Path("/proc/self/cgroup"), _GROUPS), CPU_CHUNK
    return int(max(1, min(most, memory / 2 / bytes_a_cell(sample))))


def memory_a_core(membership: Path, groups: Path) -> float:
    """Return a core's share of the memory in bytes: of the machine's, or of a container's or cluster job's if less.

    Args:
        membership: A file like /proc/self/cgroup: the control groups of this process, `number:controllers:path`.
        groups: Where control groups are mounted.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (os.cpu_count() or 1)]
    for line in membership.read_text().splitlines() if membership.exists() else []:
        _, controllers, path = line.split(":", 2)
        root, name = (groups / "memory", "memory.limit_in_bytes") if controllers else (groups, "memory.max")
        if controllers not in ("", "memory"):
            continue
        inner = root / path.lstrip("/")
        for folder in (inner, *inner.parents):  # an outer group's limit holds for the inner ones
            if folder.is_relative_to(root) and (folder / name).exists():
                limit = (folder / name).read_text().strip()
                limits += [int(limit) / len(os.sched_getaffinity(0))] if limit.isdigit() else []  # `max` is none
    return min(limits)


def bytes_a_cell(sample: StackRun) -> int:
    """Return about how much memory one cell of this structure takes in training.

    That is its weights in six arrays (value, gradient, two moments, the best, a copy) and all that the losses of a
    batch make on the way.
    """
    made, losses = _Made(), sample.losses_so_far()
    for walk in sample.walks(sample.settings.epochs - 1):
        if not len(walk.rows):
            continue
        longest = max(range(len(walk.rows)), key=lambda i: sum(walk.lengths[i].values()))
        for step in walk.steps:
            batch = sample.batch(walk, longest, losses)
            with made:
                sample.stack.losses(step.loss, batch)
    return (6 * sample.best.nbytes + sum(made.storages.values())) // len(sample.stacked)


class _Made(TorchDispatchMode):
    """Notes the memory of every array that is made."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing here is compiled, and to tell the compiler so torch would load it: 1.5 s in every job.
        return False

    def __init__(self) -> None:
        super().__init__()
        self.storages: dict[int, int] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for x in made if isinstance(made, tuple | list) else [made]:
            if isinstance(x, Tensor):
                self.storages[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return made
