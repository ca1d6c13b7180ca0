"""TODO docstring."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import write_json
from trml.features.contract import (
    ARRAYS,
    MEDIA_SCHEMA,
    OPTIONAL,
    FeatureInfo,
    FeatureSet,
    check_features,
    read_features,
)


def write_features(folder: Path, features: FeatureSet, media: pl.DataFrame | None = None) -> None:
    """Check and write a feature folder. `media` (MEDIA_SCHEMA) may be left out where nothing is known of it."""
    check_features(features, folder)
    arrays = {name: getattr(features, name) for name in ARRAYS | OPTIONAL}
    shapes = {name: array.shape[1:] for name, array in arrays.items() if array is not None}
    writer = FeatureWriter(folder, features.info, features.index, shapes)
    writer.append(arrays)
    writer.finish(pl.DataFrame(schema=MEDIA_SCHEMA) if media is None else media)


class FeatureWriter:
    """Writes a feature folder piece by piece, the rows of `index` in order: no more of an array is in memory than a
    piece, nor mapped. `shapes` has the shape of each array without its rows; a piece with fewer tokens than that is
    filled up with zeros, and so is one without any features."""

    def __init__(
        self, folder: Path, info: FeatureInfo, index: pl.DataFrame, shapes: dict[str, tuple[int, ...]]
    ) -> None:
        self.folder, self.info, self.index, self.shapes = folder, info, index, shapes
        for name, shape in shapes.items():
            dtype = np.dtype((ARRAYS | OPTIONAL)[name][0])
            header = {"descr": dtype.str, "fortran_order": False, "shape": (index.height, *shape)}
            with (folder / f"{name}.npy").open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)

    def append(self, arrays: Mapping[str, NDArray[Any] | None]) -> None:
        """Add the next rows; an array that is None or absent counts as zeros."""
        rows = len(next(array for array in arrays.values() if array is not None))
        for name, shape in self.shapes.items():
            dtype, given = (ARRAYS | OPTIONAL)[name][0], arrays.get(name)
            whole = np.zeros((rows, *shape), dtype=dtype)
            if given is not None:
                whole[tuple(slice(size) for size in given.shape)] = given
            with (self.folder / f"{name}.npy").open("ab") as file:
                file.write(whole.tobytes())

    def finish(self, media: pl.DataFrame) -> None:
        """Write the tables, and check all of it."""
        self.index.write_parquet(self.folder / "index.parquet")
        media.write_parquet(self.folder / "media.parquet")
        write_json(self.folder / "features.json", asdict(self.info))
        read_features(self.folder)
