"""Sound files of every kind that is read from outside, and what reading one must give, for fuzz.py to change."""

import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import polars as pl
from PIL import Image

from trml.base.errors import ClipUnreadable
from trml.base.yaml_reader import read_yaml
from trml.corpora.user_table.table import read_table
from trml.evaluation.brought import brought
from trml.report.result_files import claims_in, scores_in
from trml.sources.formats.archives import unpack
from trml.sources.formats.csd import read_csd
from trml.sources.formats.npz import Npz
from trml.sources.formats.parquet import read_parquet
from trml.sources.formats.safe_pickle import load_pickle
from trml.sources.formats.video_reader import read_parts

_ARRAYS = {"label": np.linspace(-3, 3, 40), "split": np.array(["train", "valid"] * 20), "text": np.ones((40, 30), "f4")}

Reader = Callable[[Path, Path], None]


class Wrong(Exception):
    """A reader returned what the file does not hold."""


def expect(condition: bool, what: str) -> None:
    """Raise Wrong unless the condition holds."""
    if not condition:
        raise Wrong(what)


# --- the files ----------------------------------------------------------------------------------------------------


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


def _texts() -> Iterator[tuple[str, bytes, Reader]]:
    table = pl.DataFrame({"id": range(30), "text": ["one, two", 'a "b"', "é\n"] * 10, "label": [0.5, -1.0, 2.0] * 10})
    yield "own.csv", table.write_csv().encode(), _read_table
    yield "own.tsv", table.write_csv(separator="\t").encode(), _read_table
    predictions = pl.DataFrame({"utterance_id": range(20), "label": [0.5, -1.0] * 10, "prediction": [0.25, 0.5] * 10})
    conditions = pl.DataFrame({"condition": ["complete", "text@0.5"]})
    yield "predictions.csv", predictions.join(conditions, how="cross").write_csv().encode(), _read_brought
    scores = dict.fromkeys(("method", "variant", "train_victim", "cell", "condition", "metric"), ["a", "b"] * 5)
    numbers = dict.fromkeys(("train_rate", "dev_rate", "seed", "value"), range(10))
    yield "metrics.csv", pl.DataFrame({**scores, **numbers}).write_csv().encode(), _read_scores
    comparison = {"effect": 0.1, "low": 0.0, "high": 0.2, "verdict": "better", "against": "x"}
    claims = [{"id": "C1", "text": "t", "how": "h", "verdict": "holds", "comparisons": [comparison] * 3}]
    yield "claims.json", json.dumps(claims).encode(), _read_claims


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
        *_texts(),
    ]


# --- what reading one must give -----------------------------------------------------------------------------------


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


def _read_table(path: Path, out: Path) -> None:
    table = read_table(path)
    expect(all(len(cells) == len(table.lines) for cells in table.columns.values()), "columns of several lengths")


def _read_brought(path: Path, out: Path) -> None:
    curves = brought(path).curves
    expect(bool(curves) and all(np.isfinite(row["value"]) for row in curves), f"scores {curves}")


def _read_scores(path: Path, out: Path) -> None:
    expect(scores_in(path)["value"].dtype == pl.Float64, "no numbers")


def _read_claims(path: Path, out: Path) -> None:
    expect(isinstance(claims_in(path), list), "no list of claims")


_READERS: dict[str, Reader] = {"npz": _read_npz, "pkl": _read_pickle, "csd": _read_csd}
