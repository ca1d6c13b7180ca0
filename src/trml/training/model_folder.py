"""A trained cell as a folder of its own: weights in safetensors, and config.json, from which its module is made again.

    model.safetensors   the weights of the best epoch on dev
    config.json         target, options and sizes of the module; what it was trained on and with

Such a folder needs no store, no corpus and no features.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

from trml.base.artifacts import read_json, write_json
from trml.features.contract import FeatureSet
from trml.methods.contract import Method, Shape
from trml.missing.registry import missing_pattern
from trml.training.contract import Cell
from trml.training.data import load_data
from trml.training.new_method import method_class, shape_of, shaping_options
from trml.training.store import read_cell, weights_of

WEIGHTS, CONFIG = "model.safetensors", "config.json"


def write_model(cell: Cell, features: FeatureSet, folder: Path) -> dict[str, Any]:
    """Write the weights of a cell and config.json, and return the latter.

    Raises:
        StoreError: If the store lacks the cell or its weights.
    """
    record, _ = read_cell(cell)
    shape = shape_of(cell.spec, load_data(features, torch.device("cpu"), torch.float32))
    config = {
        "model_type": "trml",
        "target": cell.spec.target,
        "options": shaping_options(cell.spec),
        "signals": {modality: list(sizes) for modality, sizes in shape.signals.items()},
        "outputs": shape.outputs,
        "missing": shape.missing.name if shape.missing else None,
        "views": method_class(cell.spec.target).views,
        "task": features.info.task,
        "classes": list(features.info.classes),
        "features": {
            "encoder": features.info.encoder,
            "weights": features.info.weights,
            "digest": features.info.digest,
        },
        "training": record,
    }
    save_file(dict(weights_of(cell)), folder / WEIGHTS)
    write_json(folder / CONFIG, config)
    return json.loads((folder / CONFIG).read_text())


def load_model(folder: Path) -> Method:
    """Return the module of a folder that `write_model` filled, ready to predict, on the CPU.

    It takes a `Batch` (methods/contract.py). Its signals are vectors of the encoder that config.json names, each
    shifted and scaled to zero mean and unit variance, f32 [B, T, d].
    """
    config = read_json(folder / CONFIG)
    signals = {modality: (steps, d) for modality, (steps, d) in config["signals"].items()}
    missing = missing_pattern(config["missing"], list(signals)) if config["missing"] else None
    method = method_class(config["target"])(Shape(signals, config["outputs"], missing), **config["options"])
    method.load_state_dict(load_file(folder / WEIGHTS))
    return method.eval().requires_grad_(False)
