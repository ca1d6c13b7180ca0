"""Read given features from an .npz of this project's layout, or from a pickle of MMSA's or MulT's.

MMSA publishes unaligned_50.pkl and aligned_50.pkl; MulT publishes mosi_data.pkl, mosei_senti_data_noalign.pkl and
others, from which MM-Align, BBFN and MISA derive theirs.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.errors import ContractError, TrmlError
from trml.base.printable import one_line, shortened
from trml.corpora.contract import SPLITS
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.feature_files.scaling import Given, GivenSignal, Rows, require_room
from trml.sources.formats.npz import Npz
from trml.sources.formats.numbers import seconds
from trml.sources.formats.safe_pickle import load_pickle

_SPLIT_NAMES = {"train": "train", "valid": "valid", "dev": "valid", "val": "valid", "test": "test"}

_NPZ_KEYS = {"text": "text", "vision": "video", "audio": "audio"}  # modality -> its array in an .npz
_SENTIMENT_AND_EMOTIONS = 7

_SHOWN = 200  # characters of what a library says, which may quote the file


def differs(where: str, found: str, expected: str) -> NoReturn:
    """Raise the ContractError that a key of a file is not as expected."""
    raise ContractError(f"{where}: found {found}; expected {expected}")


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Name the file and key in whatever a value makes numpy or polars raise."""
    try:
        yield
    except TrmlError:
        raise
    except Exception as error:
        reason = one_line((str(error).strip().splitlines() or [""])[0][:_SHOWN])
        raise ContractError(f"{where}: it cannot be read ({type(error).__name__}: {reason})") from error


def read_npz(path: Path, config: ArraysConfig) -> Given:
    """Read an .npz.

    Its arrays are text [N, d] or [N, L, d], video and audio [N, d] or [N, T, d], label [N], split [N] and utterance_id
    [N]; raw_text [N] and video_id [N] are optional.
    """
    npz = Npz(path)
    splits = npz.read("split")
    require_room(path, len(splits) if splits.ndim else 0)
    names = _strings(f"{path}: split", splits)
    if not names:
        differs(f"{path}: split", "no utterance", f"some in each of {', '.join(SPLITS)}")
    if strange := sorted(set(names) - set(_SPLIT_NAMES)):
        differs(f"{path}: split", shortened(strange), "train, valid or test")
    n = len(names)
    columns = {
        key: _column(f"{path}: {key}", npz.read(key), n)
        for key in ("utterance_id", "raw_text", "video_id")
        if key in npz.members or key == "utterance_id"
    }
    ids = columns["utterance_id"]
    signals: dict[str, GivenSignal] = {}
    for modality in config.modalities:
        key = _NPZ_KEYS[modality]
        with reading(f"{path}: {key}"):
            rows, width = rows_of(f"{path}: {key}", npz.read(key), n)
        signals[modality] = GivenSignal(rows, width, f"{path.name}: {key}")
    table = pl.DataFrame(
        {
            "utterance_id": ids,
            "video_id": columns.get("video_id") or [video_of(name) for name in ids],
            "split": [_SPLIT_NAMES[name] for name in names],
            "text": columns.get("raw_text") or [""] * n,
            "start_s": [0.0] * n,
            "end_s": [0.0] * n,
            "label": labels_of(f"{path}: label", npz.read("label"), n, config),
        }
    )
    return Given(table, signals)


def read_pickle(path: Path, config: ArraysConfig) -> Given:
    """Read a pickled dict of splits, each a dict of arrays with one row an utterance.

    MMSA's vision_lengths are ignored: the script that wrote them stops at the first frame of zeros, which may be a
    frame without a face in the middle of a clip.
    """
    content = load_pickle(path)
    if isinstance(content, list):
        differs(
            f"{path}", "a list of samples, whose texts are numbers of words",
            "the pickle it was made from: a dict of splits with arrays text and vision, as mosi_data_noalign.pkl",
        )  # fmt: skip
    if not isinstance(content, dict):
        differs(f"{path}", f"a {type(content).__name__}", "a dict of splits train, valid, test")
    named = [key for key in content if key in _SPLIT_NAMES]
    splits = {_SPLIT_NAMES[key]: content[key] for key in named}
    if len(splits) < len(named):
        differs(f"{path}", f"keys {', '.join(named)}, of which two name one split", "each split once")
    if set(splits) != set(SPLITS) or not all(isinstance(value, dict) for value in splits.values()):
        differs(
            f"{path}", f"keys {shortened([str(key) for key in content][:12])}", "train, valid and test, a dict each"
        )
    for split in SPLITS:
        require_room(path, _number_of(splits[split].get("id")))
    parts = [_split(f"{path}: {split}", split, splits[split], config) for split in SPLITS]
    widths = {tuple(signal.width for signal in part.signals.values()) for part in parts}
    if len(widths) > 1:
        names = " and ".join(config.modalities)
        differs(f"{path}", f"widths of {names} {sorted(widths)} in its splits", "the same in each")
    table = _named(pl.concat([part.table for part in parts]))
    sizes = [part.table.height for part in parts]
    signals: dict[str, GivenSignal] = {}
    for name, first in parts[0].signals.items():
        rows = _one_after_another([part.signals[name].rows for part in parts], sizes)
        signals[name] = GivenSignal(rows, first.width, f"{path.name}: {name}")
    return Given(table, signals)


def _split(where: str, split: str, arrays: dict[str, Any], config: ArraysConfig) -> Given:
    mmsa = "regression_labels" in arrays or "classification_labels" in arrays
    key = f"{config.task}_labels" if mmsa else "labels"
    if absent := sorted({*config.modalities, "id", key} - set(arrays)):
        differs(f"{where}", f"keys {shortened(sorted(str(key) for key in arrays), 200)}", f"{', '.join(absent)} too")
    with reading(f"{where}/id"):
        if (n := _number_of(arrays["id"])) < 0:
            differs(f"{where}/id", _shape(arrays["id"]), "a name or a row of three an utterance")
        ids = [_parts(f"{where}/id", row) for row in arrays["id"]]
    signals: dict[str, GivenSignal] = {}
    for name in config.modalities:
        with reading(f"{where}/{name}"):
            rows, width = rows_of(f"{where}/{name}", arrays[name], n)
        if name == "text" and "text_bert" in arrays:
            rows = _rows_of_tokens(f"{where}/text_bert", rows, arrays["text_bert"], n)
        signals[name] = GivenSignal(rows, width, f"{where}/{name}")
    raw = arrays.get("raw_text", [""] * n)
    if (found := _number_of(raw)) >= 0:
        _same_length(f"{where}/raw_text", found, n)
    raw = _strings(f"{where}/raw_text", raw)
    table = pl.DataFrame(
        {
            "id": ids,
            "split": [split] * n,
            "text": raw,
            "label": labels_of(f"{where}/{key}", arrays[key], n, config),
        },
        {"id": pl.List(pl.String), "split": pl.String, "text": pl.String, "label": pl.Float64},
    )
    return Given(table, signals)


def _named(table: pl.DataFrame) -> pl.DataFrame:
    """Name the utterances and their videos.

    An id is `video$_$clip` or `video_clip`, or has three parts: one of these or the video, then start and end.
    """
    first = table["id"].list.first()
    if first.is_unique().all():
        names, videos = first.to_list(), [video_of(name) for name in first]
    else:
        names, videos = table["id"].list.join("_").to_list(), first.to_list()
    times = [_times(parts[1:]) for parts in table["id"].to_list()]
    return table.drop("id").with_columns(
        pl.Series("utterance_id", [name.replace("$_$", "_") for name in names]),
        pl.Series("video_id", videos),
        pl.Series("start_s", [start for start, _ in times]),
        pl.Series("end_s", [end for _, end in times]),
    )


def video_of(name: str) -> str:
    """Return the video of an utterance named `video$_$clip` or `video_clip`; for other names, the name."""
    if "$_$" in name:
        return name.partition("$_$")[0]
    match = re.fullmatch(r"(.+)_\d+", name)
    return match[1] if match else name


def _times(parts: Sequence[str]) -> tuple[float, float]:
    times = [seconds(part) for part in parts]
    if len(times) != 2 or times[0] is None or times[1] is None:
        return 0.0, 0.0
    return (times[0], times[1]) if times[0] < times[1] else (0.0, 0.0)


def _number_of(values: Any) -> int:
    """Return the length of an array or list, -1 for anything else."""
    if not isinstance(values, np.ndarray | list | tuple) or getattr(values, "ndim", 1) == 0:
        return -1
    return len(values)


def _parts(where: str, row: Any) -> list[str]:
    short = isinstance(row, np.ndarray | list | tuple) and np.ndim(row) == 1 and len(row) <= 3
    parts = [row] if isinstance(row, str | bytes) else list(row) if short else None
    if not parts or not all(isinstance(part, str | bytes) for part in parts):
        differs(where, shortened(row, 60), "a string, or a row of three: id, start, end")
    strings = [_string(where, part) for part in parts]
    _check_name(where, strings[0], "")
    return strings


def _check_name(where: str, name: str, place: str) -> None:
    """Refuse what own tables refuse as a name too."""
    if not name.strip() or "\0" in name:
        kind = "a name with NUL" if name.strip() else "an empty name"
        differs(where, f"{kind}{place}", "a name for each utterance")


def _string(where: str, value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin1")
    text = str(value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        differs(where, shortened(text), "text that is UTF-8")
    return text


def _strings(where: str, values: Any) -> list[str]:
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if isinstance(values, np.ndarray) and values.ndim != 1:
        differs(where, f"{_shape(values)}", "strings, one an utterance")
    with reading(where):
        array = np.asarray(values, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not all(isinstance(value, str | bytes | int) for value in array):
        differs(where, f"{_shape(values)}", "strings, one an utterance")
    return [_string(where, value) for value in array]


def _column(where: str, values: NDArray[Any], n: int) -> list[str]:
    """Return the texts of an array of an .npz; what is not raw texts is names, and none is empty."""
    _same_length(where, len(values) if values.ndim else 0, n)
    texts = _strings(where, values)
    if not where.endswith("raw_text"):
        for i, text in enumerate(texts):
            _check_name(where, text, f" in row {i}")
    return texts


def _shape(values: Any) -> str:
    if isinstance(values, np.ndarray):
        return one_line(f"{list(values.shape)} of {values.dtype}"[:_SHOWN])
    return f"a {type(values).__name__}"


def _same_length(where: str, found: int, expected: int) -> None:
    if found != expected:
        differs(where, f"{found} rows", f"{expected}, one an utterance")


def rows_of(where: str, values: Any, n: int) -> tuple[Rows, int]:
    """Return the rows of each utterance and their width d, from [n, d], [n, t, d], or n arrays [t, d]."""
    if not isinstance(values, np.ndarray | list | tuple) or (isinstance(values, np.ndarray) and values.ndim == 0):
        differs(where, f"{_shape(values)}", "numbers [n, d] or [n, t, d]")
    _same_length(where, len(values), n)
    if isinstance(values, np.ndarray) and values.dtype != object:
        if values.dtype.kind not in "fiu" or values.ndim not in (2, 3) or 0 in values.shape[1:]:
            differs(where, _shape(values), "numbers [n, d] or [n, t, d]")
        return (lambda i: values[i].reshape(-1, values.shape[-1])), values.shape[-1]
    shapes = {np.shape(value)[1:] if isinstance(value, np.ndarray) and value.ndim == 2 else None for value in values}
    if len(shapes) != 1 or None in shapes or any(value.dtype.kind not in "fiu" for value in values):
        differs(where, f"rows of shapes {sorted(map(str, shapes))[:4]}", "numbers [t, d] in each, of one width")
    return (lambda i: values[i]), values[0].shape[1]


def _rows_of_tokens(where: str, text: Rows, bert: Any, n: int) -> Rows:
    """Keep the text's rows that stand for tokens, by the mask in `bert` [n, 3, L] (ids, mask, types), if it fits."""
    if not isinstance(bert, np.ndarray) or bert.ndim != 3 or bert.shape[:2] != (n, 3) or bert.dtype.kind not in "fiu":
        differs(where, _shape(bert), f"[{n}, 3, L] numbers: ids, mask, types")

    def rows(i: int) -> NDArray[Any]:
        every = text(i)
        return every[bert[i, 1] > 0] if len(every) == bert.shape[2] else every

    return rows


def labels_of(where: str, values: Any, n: int, config: ArraysConfig) -> list[float | None]:
    """Return the labels, None for NaN, from [n], [n, 1], [n, 1, 1], or seven columns with the sentiment first."""
    with reading(where):
        array = np.asarray(values)
    _same_length(where, len(array) if array.ndim else 0, n)
    columns = array.reshape(n, -1) if n else array.reshape(0, 1)
    if columns.shape[1] not in (1, _SENTIMENT_AND_EMOTIONS):
        differs(where, _shape(array), "one label an utterance, or seven of which the first is sentiment")
    first = columns[:, 0]
    if array.dtype.kind in "US" and config.classes:
        with reading(where):
            named = [_string(where, value) for value in first.tolist()]
        if strange := sorted(set(named) - set(config.classes))[:5]:
            differs(where, shortened(strange), f"the classes {shortened(config.classes, 200)} (corpus.classes)")
        return [float(config.classes.index(name)) for name in named]
    if array.dtype.kind not in "fiu":
        differs(where, _shape(array), "numbers")
    low, high, numbers = (-3, 3, "numbers")
    if config.task == "classification":
        low, high, numbers = (0, len(config.classes) - 1, "whole numbers")
    labels = first.astype(np.float64)
    known = labels[~np.isnan(labels)]
    whole = config.task == "regression" or bool((known == known.round()).all())
    if known.size and (known.min() < low or known.max() > high or not whole):
        reach = f"labels from {_digits(known.min())} to {_digits(known.max())}"
        differs(where, reach, f"{numbers} from {low} to {high}")
    return [None if np.isnan(value) else float(value) for value in labels]


def _digits(value: float) -> str:
    """Return a number with as many digits as tell it from others."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _one_after_another(parts: list[Rows], sizes: list[int]) -> Rows:
    index = [(part, i) for part, size in zip(parts, sizes, strict=True) for i in range(size)]
    return lambda i: index[i][0](index[i][1])
