"""The parts of transformers that the encoders use, importable with any build of torch."""

import trml.features.encoders.common.torchvision  # noqa: F401, I001  first: transformers imports torchvision
from transformers import (
    AutoImageProcessor,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    ViTConfig,
    ViTForMaskedImageModeling,
    ViTImageProcessorPil,
)
from transformers.utils import logging

__all__ = [
    "AutoImageProcessor",
    "AutoModel",
    "AutoTokenizer",
    "BertConfig",
    "BertForMaskedLM",
    "BertTokenizer",
    "ViTConfig",
    "ViTForMaskedImageModeling",
    "ViTImageProcessorPil",
]

logging.set_verbosity_error()  # from_hub checks for what its warnings report
logging.disable_progress_bar()
