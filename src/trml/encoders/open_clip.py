"""open_clip, importable beside any build of torch.

The torchvision wheel's compiled operators need CUDA libraries; beside a CPU build of torch its import fails,
because two of them are not registered. CLIP needs torchvision's transforms only, so there the two are declared
(never implemented) and the import is tried again.
"""

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import open_clip
from open_clip.transform import PreprocessCfg, image_transform_v2

__all__ = ["PreprocessCfg", "image_transform_v2", "open_clip"]
