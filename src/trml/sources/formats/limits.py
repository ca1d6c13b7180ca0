"""The budget of everything that reads a file from outside: what one file may cost, however small it is.

Each reader counts against it before it allocates. A library that allocates on its own (polars, HDF5) first reads the
file in a process that the system holds to the budget of memory (base/confined.py). docs/security.md lists who is held
how. The bounds of pictures are in open_media.py and those of times in numbers.py, since they decide which clips have
features; those of YAML are in base/yaml_reader.py.
"""

from pathlib import Path

DISK = 1 << 30  # bytes that an archive may unpack to, inner archives included, however small it is
RATIO = 200  # or so many for each byte of it
MEMBERS = 200_000  # files of an archive, inner ones included: MOSEI, the largest corpus, has some 30,000

STEPS = 50_000_000  # instructions of a pickle: MOSEI in arrays takes about 500,000

ROWS = 2_000_000  # of a table
CELLS = 20_000_000  # of a table
TEXT = 1 << 28  # bytes of a table or transcript

CLASSES = 500  # of labels that are words: more are texts, or names

UTTERANCE = 4_000  # bytes for an utterance in tables, and for the time that each takes


def disk_for(archive: Path) -> int:
    """Return the bytes that an archive may unpack to, inner archives included."""
    return max(DISK, RATIO * archive.stat().st_size)
