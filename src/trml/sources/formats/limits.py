"""The budget of everything that reads a file from outside: what one file may cost, however small it is.

Each reader counts against it before it allocates. A library that allocates on its own (polars, HDF5) first reads the
file in a process that the system holds to the budget (confined.py). docs/security.md lists who is held how. The bounds
of pictures are in open_media.py, since they decide which clips have features, and those of YAML in base/yaml_reader.py.
"""

from pathlib import Path

MEMORY = 1 << 29  # bytes that reading a file may take, however small it is
MEMORY_A_BYTE = 10  # and for each byte of it: plain lists of numbers take some eight times their pickle

DISK = 1 << 30  # bytes that an archive may unpack to, inner archives included, however small it is
RATIO = 200  # or so many for each byte of it
MEMBERS = 200_000  # files of an archive, inner ones included: MOSEI, the largest corpus, has some 30,000

STEPS = 50_000_000  # instructions of a pickle: MOSEI in arrays takes about 500,000

ROWS = 2_000_000  # of a table
CELLS = 20_000_000  # of a table
TEXT = 1 << 28  # bytes of a table or transcript

SECONDS = 1_000_000  # of a clip or a time in it: eleven days


def memory_for(path: Path) -> int:
    """Return the bytes of memory that reading a file may take."""
    return MEMORY + MEMORY_A_BYTE * path.stat().st_size


def disk_for(archive: Path) -> int:
    """Return the bytes that an archive may unpack to, inner archives included."""
    return max(DISK, RATIO * archive.stat().st_size)
