"""open_clip, importable with any build of torch."""

import trml.features.encoders.common.torchvision  # noqa: F401, I001  first: open_clip imports torchvision
import open_clip
from open_clip.transform import PreprocessCfg, image_transform_v2

__all__ = ["PreprocessCfg", "image_transform_v2", "open_clip"]
