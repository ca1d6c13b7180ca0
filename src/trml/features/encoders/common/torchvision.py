"""torchvision, importable with any build of torch: import this before a library that imports torchvision.

The compiled operators of torchvision's wheel need CUDA libraries. With a CPU build of torch its import fails, because
two of them are not registered. The encoders need only torchvision's transforms, so the two are declared here, without
an implementation, and the next import succeeds.
"""

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
