"""What the encoders use of transformers, importable beside any build of torch."""

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

logging.set_verbosity_error()  # what matters in its warnings is checked by those who load
logging.disable_progress_bar()
