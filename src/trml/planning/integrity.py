"""Verify the artifacts of work/ against their checksums, and withdraw damaged ones so that they are made again.

It runs when the Snakefile is read, before Snakemake looks for what is absent. A folder that was verified is not read
again while the names, sizes and times of its files stay the same.
"""

import os
from pathlib import Path

from trml.base.artifacts import damage, write_json
from trml.base.checksums import recall
from trml.base.digests import digest
from trml.base.progress import say
from trml.planning.plan import Plan

CHECKED = "checked.json"


def withdraw_damaged(plans: list[Plan], work: Path = Path("work")) -> None:
    """Invalidate damaged artifacts that the plans reach, and report each one.

    A folder is invalidated by removing its finishing file. A block's file is removed if one of its cells is not done.
    """
    known = recall(work / CHECKED)
    verified = {}
    for folder, finished in dict.fromkeys(entry for plan in plans for entry in plan.folders):
        if folder.is_dir() and not (folder / finished).is_file():
            say(f"{folder}: {finished} is absent; it is made again")
        elif folder.is_dir():
            name, state = str(folder.relative_to(work)), _fingerprint(folder)
            fault = None if known.get(name) == state else damage(folder)
            if fault is None:
                verified[name] = state
            else:
                say(f"{folder}: {fault}; it is made again")
                (folder / finished).unlink()
    if verified != known:
        write_json(work / CHECKED, verified)
    for plan in plans:
        for block in plan.blocks.values():
            if block.path.is_file() and not all(cell.is_done for cell in block.cells):
                block.path.unlink()


def _fingerprint(folder: Path) -> str:
    """Return a digest of the name, size, times and inode of every file in a folder.

    The time of change (ctime) cannot be set back, as that of modification can.
    """
    entries = []
    for root, _, files in os.walk(folder):
        for name in files:
            stat = os.stat(os.path.join(root, name))  # noqa: PTH116, PTH118  pathlib takes three times as long
            entries.append((root, name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
    return digest(sorted(entries))
