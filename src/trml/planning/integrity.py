"""Whether what stands in work/ is what was written: damage is named, and what is damaged is made again.

Checked when the Snakefile is read, so that Snakemake sees what there is to be made.

A folder that was found whole is not read again as long as the sizes and times of its files stay the same.
"""

import os
from pathlib import Path

from trml.base.artifacts import damage, write_json
from trml.base.checksums import recall
from trml.base.digests import digest
from trml.base.progress import say
from trml.planning.plan import Plan
from trml.training.contract import is_done

CHECKED = "checked.json"


def withdraw_damaged(plans: list[Plan], work: Path = Path("work")) -> None:
    """Name every damaged folder that the plans reach and take its finishing file away: without it the folder counts as
    not made. The file of a block whose cells are not all there goes too: what it says is not true."""
    known = recall(work / CHECKED)
    found = {}
    for folder, finished in dict.fromkeys(each for plan in plans for each in plan.folders):
        if folder.is_dir() and not (folder / finished).is_file():
            say(f"{folder}: {finished} is absent; it is made again")
        elif folder.is_dir():
            name, state = str(folder.relative_to(work)), _fingerprint(folder)
            fault = None if known.get(name) == state else damage(folder)
            if fault is None:
                found[name] = state
            else:
                say(f"{folder}: {fault}; it is made again")
                (folder / finished).unlink()
    if found != known:
        write_json(work / CHECKED, found)
    for plan in plans:
        for block in plan.blocks.values():
            if block.path.is_file() and not all(is_done(plan, cell) for cell in block.cells):
                block.path.unlink()


def _fingerprint(folder: Path) -> str:
    """Changes with the name, size and time of any file in the folder."""
    entries = []
    for root, _, files in os.walk(folder):
        for name in files:
            stat = os.stat(os.path.join(root, name))  # noqa: PTH116, PTH118  pathlib takes three times as long
            entries.append((root, name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return digest(sorted(entries))
