"""torchvision, importable beside any build of torch: import this before a library that imports torchvision.

The torchvision wheel's compiled operators need CUDA libraries; beside a CPU build of torch its import fails,
because two of them are not registered. The encoders need torchvision's transforms only, so there the two are declared
(never implemented) and the import is tried again, by whoever needs it.
"""

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
