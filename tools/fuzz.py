"""Read damaged files of every kind until a reader does what it must not: `make fuzz`, or tools/fuzz.py --files 200.

Sound files are made, bytes of them changed, and each is read as a user's file is. A reader may return a value of the
expected form, from a file with checksums the very values that were written, or raise an error of the project that names
the file. Anything else is a finding: another exception, a crash, more memory than 1 GiB, a file outside the folder.
"""

import argparse
import faulthandler
import io
import pickle
import random
import resource
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import polars as pl
from PIL import Image

from trml.base.errors import ClipUnreadable, TrmlError
from trml.base.yaml_reader import read_yaml
from trml.sources.formats.archives import unpack
from trml.sources.formats.csd import read_csd
from trml.sources.formats.npz import Npz
from trml.sources.formats.parquet import read_parquet
from trml.sources.formats.safe_pickle import load_pickle
from trml.sources.formats.video_reader import read_parts

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

_ARRAYS = {"label": np.linspace(-3, 3, 40), "split": np.array(["train", "valid"] * 20), "text": np.ones((40, 30), "f4")}

Reader = Callable[[Path, Path], None]


class Wrong(Exception):
    """A reader returned what the file does not hold."""


def expect(condition: bool, what: str) -> None:
    """Raise Wrong unless the condition holds."""
    if not condition:
        raise Wrong(what)


# --- sound files, and what reading one must give ------------------------------------------------------------------


def _pictures() -> Iterator[tuple[str, bytes]]:
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    for kind in ("png", "jpeg", "gif", "webp", "tiff", "bmp"):
        content = io.BytesIO()
        Image.fromarray(noise).save(content, kind)
        yield f"{kind}.{kind}", content.getvalue()
    content = io.BytesIO()
    Image.fromarray(noise[..., 0].astype(np.uint16) * 257).save(content, "png")
    yield "sixteen.png", content.getvalue()


def _videos(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name, codec in (("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.ts", "mpeg2video")):
        with av.open(str(folder / name), "w") as container:
            stream: Any = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
            for i in range(8):
                picture = np.full((32, 32, 3), 30 * i, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        yield name, (folder / name).read_bytes()


def _tables(folder: Path) -> Iterator[tuple[str, bytes]]:
    frame = pl.DataFrame({"text": ["one", "two", None] * 20, "label": [0.5, -1.0, 2.0] * 20})
    for compression in ("zstd", "snappy", "uncompressed"):
        frame.write_parquet(folder / "t.parquet", compression=compression)
        yield f"{compression}.parquet", (folder / "t.parquet").read_bytes()


def _arrays(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name, save in (("stored.npz", np.savez), ("packed.npz", np.savez_compressed)):
        save(folder / name, **_ARRAYS)  # type: ignore[arg-type]
        yield name, (folder / name).read_bytes()
    value = {"train": {**_ARRAYS, "id": ["a", b"b", ("c", "1.5")], "n": [1, 2.5, None, True]}}
    for protocol in (0, 2, 4, 5):
        yield f"{protocol}.pkl", pickle.dumps(value, protocol)
    for name, options in (("plain.csd", {}), ("packed.csd", {"compression": "gzip", "chunks": True})):
        with h5py.File(folder / name, "w") as file:
            for video in ("v1", "v2"):
                group = file.create_group(f"words/data/{video}")
                group.create_dataset("intervals", data=np.array([[0, 1.5], [1.5, 2]]))
                group.create_dataset("features", data=np.ones((2, 50)), **options)
        yield name, (folder / name).read_bytes()


_MEMBERS = {"a.txt": b"first" * 30, "deep/er/b.bin": bytes(range(256)) * 4, "c.csv": b"x,y\n1,2\n"}


def _archives() -> Iterator[tuple[str, bytes]]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, member in _MEMBERS.items():
            packed.writestr(name, member)
    inner = content.getvalue()
    yield "a.zip", inner
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("inner.zip", inner)
    yield "nested.zip", content.getvalue()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, member in _MEMBERS.items():
            info = tarfile.TarInfo(name)
            info.size = len(member)
            tar.addfile(info, io.BytesIO(member))
    yield "a.tar.gz", content.getvalue()


def _configurations() -> Iterator[tuple[str, bytes]]:
    yield (
        "a.yaml",
        b"name: x\nseed: 1\nrates: [0.0, 0.5]\nmore: &m {a: 'b', c: null}\nagain: *m\ntext: |\n  two\n  lines\n",
    )


def sound_files(folder: Path) -> list[tuple[str, bytes, Reader]]:
    """Return sound files of every kind with their readers; `folder` is for writing them."""
    return [
        *((name, content, _read_clip) for name, content in (*_pictures(), *_videos(folder))),
        *((name, content, _read_parquet) for name, content in _tables(folder)),
        *((name, content, _READERS[name.rpartition(".")[2]]) for name, content in _arrays(folder)),
        *((name, content, _unpack) for name, content in _archives()),
        *((name, content, _read_yaml) for name, content in _configurations()),
    ]


def _read_clip(path: Path, out: Path) -> None:
    for frames in read_parts(path, [None, (0.1, 0.2)], 4, None, lambda frame: (frame.mode, frame.size)):
        if isinstance(frames, ClipUnreadable):
            continue  # a reason; callers name the clip
        expect(len(frames) >= 1 and all(mode == "RGB" and min(size) > 0 for mode, size in frames), f"frames {frames}")


def _read_parquet(path: Path, out: Path) -> None:
    expect(isinstance(read_parquet(path), pl.DataFrame), "no table")


def _read_npz(path: Path, out: Path) -> None:
    npz = Npz(path)
    for name, written in _ARRAYS.items():
        array = npz.read(name)
        expect(array.shape == written.shape and bool((array == written).all()), f"array {name} has other values")


def _read_pickle(path: Path, out: Path) -> None:
    _require_plain(load_pickle(path))


def _require_plain(value: Any) -> None:
    if isinstance(value, dict | list | tuple | set):
        for each in value.values() if isinstance(value, dict) else value:
            _require_plain(each)
    else:
        plain = (int, float, complex, str, bytes, type(None), np.generic, np.dtype, np.ndarray)
        expect(isinstance(value, plain), f"a {type(value)}")


def _read_csd(path: Path, out: Path) -> None:
    for video, sequence in read_csd(path).items():
        shape = sequence.intervals.shape == (len(sequence.features), 2) and sequence.features.ndim == 2
        expect(shape and bool(np.isfinite(sequence.intervals).all()), f"video {video}")


def _unpack(path: Path, out: Path) -> None:
    unpack(path, out)
    for file in out.rglob("*"):
        if file.is_file() and not file.name.endswith(".members"):
            written = _MEMBERS.get(str(file.relative_to(out)))
            expect(written is None or file.read_bytes() == written, f"{file.name} has other bytes")


def _read_yaml(path: Path, out: Path) -> None:
    read_yaml(path)


_READERS: dict[str, Reader] = {"npz": _read_npz, "pkl": _read_pickle, "csd": _read_csd}


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
    with tempfile.TemporaryDirectory(prefix="trml-fuzz-") as name:
        folder = Path(name)
        (folder / "sound").mkdir()
        sound = sound_files(folder / "sound")
        for kind, content, reader in sound:  # as they are, they can be read
            findings += _one(folder, f"sound-{kind}", content, reader, keep)
        for i in range(files):
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
    around = (folder, place, Path())
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
