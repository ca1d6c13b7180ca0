"""Given features as tests make them: files in every known layout, and the corpus built from one."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from trml.corpora.contract import read_corpus
from trml.corpora.feature_files import build as arrays
from trml.corpora.feature_files.config import ArraysConfig

CONFIG = ArraysConfig("arrays", "arrays", "given", ["features"], "regression", [], 8, ["text", "vision"])
SIZES = {"train": 6, "valid": 3, "test": 4}
N, L, T, D_TEXT, D_VISION = 13, 5, 7, 4, 3
SPLIT = [split for split, n in SIZES.items() for _ in range(n)]


def numbers(seed: int = 0) -> tuple[Any, Any, Any, Any]:
    """Return text [N, L, 4] padded behind, vision [N, T, 3] padded before, and how many rows of each are there."""
    rng = np.random.default_rng(seed)
    text, vision = rng.normal(5, 2, (N, L, D_TEXT)), rng.normal(-3, 9, (N, T, D_VISION))
    words, frames = rng.integers(1, L + 1, N), rng.integers(1, T + 1, N)
    for i in range(N):
        text[i, words[i] :] = 0
        vision[i, : T - frames[i]] = 0
    return text, vision, words, frames


def by_split(**columns: Any) -> dict[str, dict[str, Any]]:
    """Return a dict of splits of columns of N rows."""
    bounds = np.cumsum([0, *SIZES.values()])
    return {
        split: {key: column[a:b] for key, column in columns.items()}
        for split, a, b in zip(SIZES, bounds, bounds[1:], strict=False)
    }


def npz_columns() -> dict[str, Any]:
    """Return the arrays of an .npz in this project's layout."""
    text, vision, _, _ = numbers()
    return {
        "text": text,
        "video": vision,
        "label": np.linspace(-3, 3, N),
        "split": np.array(SPLIT),
        "utterance_id": np.array([f"v{i // 2}_{i % 2}" for i in range(N)]),
        "raw_text": np.array([f"sentence {i}" for i in range(N)]),
    }


def mmsa_columns() -> dict[str, Any]:
    """Return the arrays of MMSA's pickles: vision is padded behind, and text has a BERT's vectors for padding too."""
    text, vision, words, frames = numbers()
    for i in range(N):
        vision[i] = np.roll(vision[i], frames[i], axis=0)
        text[i, words[i] :] = 99
    bert = np.zeros((N, 3, L))
    bert[:, 1] = np.arange(L) < words[:, None]
    labels = np.linspace(-3, 3, N).astype(np.float32)
    return {
        "raw_text": np.array([f"sentence {i}" for i in range(N)]),
        "audio": np.full((N, 3, 2), -np.inf),
        "vision": vision,
        "id": np.array([f"v{i // 2}$_${i % 2}" for i in range(N)]),
        "text": text.astype(np.float32),
        "text_bert": bert,
        "audio_lengths": [3] * N,
        "vision_lengths": frames.tolist(),
        "annotations": np.array(["Negative", "Neutral", "Positive"])[np.sign(labels).astype(int) + 1],
        "classification_labels": np.sign(labels) + 1,
        "regression_labels": labels,
    }


def mult_columns(labels: tuple[int, ...] = (1, 1), ids: int = 3) -> dict[str, Any]:
    """Return the arrays of MulT's pickles: ids are rows of bytes: video_clip (MOSI), or video, start, end (MOSEI)."""
    text, vision, _, _ = numbers()
    if ids == 1:
        names = np.array([[f"v{i // 2}_{i % 2}".encode()] for i in range(N)])
    else:
        names = np.array([[f"v{i // 2}".encode(), f"{i}.5".encode(), f"{i + 1}.0".encode()] for i in range(N)])
    label = np.repeat(np.linspace(-3, 3, N)[:, None], np.prod(labels), axis=1).reshape(N, *labels)
    return {"vision": vision, "text": text, "audio": np.full((N, 2, 5), -np.inf), "labels": label, "id": names}


def build(tmp_path: Path, content: dict[str, Any] | None, config: ArraysConfig = CONFIG) -> Path:
    """Write a layout where CONFIG expects it (None: it is there already), build the corpus, and return its folder."""
    path = tmp_path / "given" / "features"
    path.parent.mkdir(exist_ok=True)
    if content is not None:
        with path.open("wb") as file:
            if "split" in content:
                np.savez(file, **content)
            else:
                pickle.dump(content, file, protocol=4)
    folder = tmp_path / f"corpus{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    arrays.build(config, tmp_path, folder, "x", 1)
    return folder


def read(folder: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Return description, utterances, and the arrays by the name of their file."""
    info, table = read_corpus(folder)
    files = {}
    for modality in info.modalities:
        files[modality] = np.load(folder / "given" / f"{modality}.npy")
        files[f"{modality}_mask"] = np.load(folder / "given" / f"{modality}_mask.npy")
    return info, table, files


def present(files: dict[str, Any]) -> Any:
    """Return which utterances have text and vision, bool [N, 2]."""
    return np.stack([files[f"{modality}_mask"].any(axis=1) for modality in ("text", "vision")], axis=1)
