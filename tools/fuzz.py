"""Read damaged files of every kind until a reader does what it must not: `make fuzz`, or tools/fuzz.py --files 200.

Sound files are made, bytes of them changed, and each is read as a user's file is. A reader may return a value of the
expected form, from a file with checksums the very values that were written, or raise an error of the project that names
the file. Anything else is a finding: another exception, a crash, more memory than 1 GiB, a file outside the folder.
"""

import argparse
import faulthandler
import io
import random
import resource
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import chdir, redirect_stderr
from pathlib import Path

from sound_files import Reader, Wrong, sound_files
from trml.base.errors import TrmlError
from trml.base.progress import track

MEMORY = 1 << 30  # bytes

_EXTREME = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff" * 4,
    b"\x00" * 8,
    b"\x7f" + b"\xff" * 7,
    b"..",
    b"/",
    b"\n",
    b"\x1b[2J",
)

# --- changes ------------------------------------------------------------------------------------------------------


def changed(content: bytes, rng: random.Random) -> bytes:
    """Return a file with one to four changes: bits, bytes, lengths, pieces that are cut, repeated or moved."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            piece = rng.choice(_EXTREME)
            data[at : at + len(piece)] = piece
        elif kind == 2:
            data[at : at + 4] = rng.getrandbits(32).to_bytes(4, rng.choice(("little", "big")))
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            del data[at : at + rng.randrange(1, 64)]
        elif kind == 5:
            data[at:at] = data[at : at + rng.randrange(1, 256)] * rng.choice((1, 2, 50))
        else:
            data[at:at] = rng.randbytes(rng.randrange(1, 16))
    return bytes(data)


# --- the run ------------------------------------------------------------------------------------------------------


def attempt(path: Path, reader: Reader, out: Path) -> str | None:
    """Read a file; return what is wrong with how it ended, None if nothing is."""
    try:
        with redirect_stderr(io.StringIO()):
            reader(path, out)
    except TrmlError as error:
        return None if path.name in str(error) or path.stem in str(error) else f"the file is not named: {error}"
    except Wrong as error:
        return f"wrong data: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def fuzz(files: int, seed: int, keep: Path) -> tuple[Counter[str], list[str]]:
    """Read changed files.

    Args:
        files: How many.
        seed: Of the changes.
        keep: Where files that a reader fails on are kept.

    Returns:
        How many files of each kind were read, and the findings.
    """
    read: Counter[str] = Counter()
    findings: list[str] = []
    keep = keep.absolute()
    with tempfile.TemporaryDirectory(prefix="trml-fuzz-") as name, chdir(name):
        folder = Path(name)
        (folder / "sound").mkdir()
        sound = sound_files(folder / "sound")
        for kind, content, reader in sound:  # as they are, they can be read
            findings += _one(folder, f"sound-{kind}", content, reader, keep)
        for i in track(range(files), files, "changed files read"):
            rng = random.Random(f"{seed} {i}")
            kind, content, reader = sound[i % len(sound)]
            read[kind] += 1
            findings += _one(folder, f"{seed}-{i}-{kind}", changed(content, rng), reader, keep)
    return read, findings


def _one(folder: Path, name: str, content: bytes, reader: Reader, keep: Path) -> list[str]:
    """Read one file in a folder of its own; return the findings."""
    place = folder / "place"
    shutil.rmtree(place, ignore_errors=True)
    (place / "out").mkdir(parents=True)
    path = place / name
    path.write_bytes(content)
    around = (folder, place)
    before = [sorted(where.iterdir()) for where in around]
    fault = attempt(path, reader, place / "out")
    after = [sorted(where.iterdir()) for where in around]
    if fault is None and before != after:
        fault = f"files outside the folder: {after}"
    if fault is None:
        return []
    keep.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, keep / name)
    return [f"{name}: {fault}"]


def _own_peak() -> int:
    """Return the most memory that this process has had, in bytes. ru_maxrss counts that of the parent too."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) << 10


def main() -> None:
    """Run from the command line; exit with 1 if there are findings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000, metavar="N", help="files to read (default: 20,000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the changes (default: 0)")
    parser.add_argument("--keep", type=Path, default=Path("work/fuzz"), metavar="FOLDER", help="for files of findings")
    arguments = parser.parse_args()
    faulthandler.enable()  # a crash in a library says in which reader
    read, findings = fuzz(arguments.files, arguments.seed, arguments.keep)
    peak = max(_own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)
    if peak > MEMORY:
        findings.append(f"{peak >> 20} MB of memory were taken; expected at most {MEMORY >> 20}")
    print(f"{read.total():,} changed files of {len(read)} kinds were read, with {peak >> 20} MB of memory")
    print("\n".join(findings) or "no findings")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
