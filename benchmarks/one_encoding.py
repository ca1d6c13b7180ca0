"""Encodes the corpus of a folder, in a process of its own."""

import sys
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.encoded import encode
from trml.device import set_up
from trml.features.encoders.tiny_clip.config import TinyClipEncoder


def main(folder: Path) -> None:
    """Encode the corpus; the folder has config.json, encoder/ and corpus/."""
    config = TypeAdapter(TinyClipEncoder).validate_json((folder / "config.json").read_text())
    encode(config, folder / "corpus", folder / "encoder", set_up("cpu", 1))


main(Path(sys.argv[1]))
