"""A corpus to fetch, as tests make it: a table and an archive."""

import io
import zipfile
from pathlib import Path

from trml.corpora.cmu.config import CmuMosiConfig
from trml.sources.fetching.config import Source, Terms

TERMS = Terms("mosi", "Only for research.", "http://host.invalid/terms")
GIVES = ["Raw/Video/*.mp4", "Raw/Text/*.txt"]


def made_zip(*names: str) -> bytes:
    """Return a zip of files that hold their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return buffer.getvalue()


ZIP = made_zip("Raw/Video/a.mp4", "Raw/Text/a.txt")


def corpus(*sources: Source) -> CmuMosiConfig:
    """Return a configuration with these sources."""
    return CmuMosiConfig("made", "made", "none", TERMS, list(sources), "segmented", "cmu_mosi")


def brought(data: Path, *names: str) -> None:
    """Write files into the corpus's folder, as a user provides them."""
    for name in names:
        path = data / "made" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ZIP if name.endswith(".zip") else b"a,b\n")


ARCHIVE = Source("made.zip", ["http://host.invalid/made.zip"], None, None, GIVES)
TABLE = Source("made.csv", ["http://host.invalid/made.csv"], None, None, [])
