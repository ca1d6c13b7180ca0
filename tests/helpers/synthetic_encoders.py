"""Small models of transformers with random weights, in folders as users provide them."""

from pathlib import Path

import trml.features.encoders.common.transformers  # noqa: F401  first: transformers imports torchvision

# isort: split
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, SiglipConfig, SiglipImageProcessor, SiglipModel

WORDS = 1500


def write_tokenizer(folder: Path) -> None:
    """Write a tokenizer of WORDS words, `word0` and so on."""
    words = {"<pad>": 0, "<unk>": 1, **{f"word{i}": i + 2 for i in range(WORDS)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(folder)


def write_siglip(folder: Path, context: int = 16) -> SiglipModel:
    """Write a SigLIP of width 32 for pictures of 32 x 32, and return it."""
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**sizes, "max_position_embeddings": context, "vocab_size": WORDS + 500}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SiglipModel(SiglipConfig(text_config=text, vision_config={**sizes, "image_size": 32, "patch_size": 8}))
    model.eval().save_pretrained(folder)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    write_tokenizer(folder)
    return model
