"""A text model and a picture model of transformers that know nothing of each other: encoders of two unaligned spaces.

A sentence's feature is the mean of its tokens' last hidden states, a picture's is the last hidden state of the first
token (the class token of a ViT). Neither is scaled: the towers standardise what they are given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

import trml.encoders.torchvision  # noqa: F401  transformers' image processors import torchvision
from trml.config import SeparateEncoder, TinySeparateEncoder
from trml.encoders.base import Sentences
from trml.encoders.clip import check_vocabulary
from trml.errors import WeightsMissing

TEXT, VISION, VOCABULARY = "text", "vision", "vocabulary.json"  # in the folder of a pretrained pair


@dataclass
class Separate:
    """The two models. `tokenize` maps sentences to token numbers and their mask, [B, L] both; `transform` maps an RGB
    picture to [3, H, W]."""

    text: nn.Module
    vision: nn.Module
    tokenize: Callable[[list[str]], tuple[Tensor, Tensor]]
    transform: Callable[[Image.Image], Tensor]

    def to(self, device: torch.device) -> None:
        """Move the weights."""
        self.text.to(device)
        self.vision.to(device)

    @torch.no_grad()
    def encode_sentences(self, texts: list[str], device: torch.device) -> Sentences:
        """The means over tokens, and the tokens."""
        ids, mask = (x.to(device) for x in self.tokenize(texts))
        tokens = self.text(input_ids=ids, attention_mask=mask).last_hidden_state.float() * mask.unsqueeze(-1)
        pooled = tokens.sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return Sentences(pooled.cpu(), tokens.cpu(), mask.bool().cpu())

    @torch.no_grad()
    def encode_images(self, pixels: Tensor, device: torch.device) -> Tensor:
        """The class tokens."""
        return self.vision(pixel_values=pixels.to(device)).last_hidden_state[:, 0].float().cpu()


def load_separate(config: SeparateEncoder) -> Separate:
    """Two models by name or folder. Raises WeightsMissing that says which, where it was looked for and what to do."""
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    tokenizer = _loaded(AutoTokenizer, config.text, "text", config.name)
    check_vocabulary(tokenizer, config.name)
    processor = _loaded(AutoImageProcessor, config.vision, "vision", config.name)

    def tokenize(texts: list[str]) -> tuple[Tensor, Tensor]:
        found = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        return found["input_ids"], found["attention_mask"]

    def transform(picture: Image.Image) -> Tensor:
        return processor(images=picture, return_tensors="pt")["pixel_values"][0]

    text, vision = (_loaded(AutoModel, getattr(config, part), part, config.name).eval() for part in (TEXT, VISION))
    return Separate(text, vision, tokenize, transform)


def _loaded(kind: Any, name: str, part: str, encoder: str) -> Any:
    from huggingface_hub.constants import HF_HUB_CACHE

    try:
        return kind.from_pretrained(name)
    except Exception as error:  # transformers, the hub client and torch each raise their own kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsMissing(
            f"encoder {encoder}: {part} {name!r} cannot be had as a {kind.__name__}: neither a folder with its files "
            f"nor in the cache {HF_HUB_CACHE}, and the download failed ({reason}). Run once where there is a network, "
            f"or bring the folder and set encoder.{part}=<folder>"
        ) from None


def load_tiny_separate(config: TinySeparateEncoder, folder: Path) -> Separate:
    """The pair that encoders/pretrain_separate.py saved in `folder`."""
    from tokenizers import Tokenizer
    from transformers import BertModel, ViTModel

    tokenizer = Tokenizer.from_file(str(folder / VOCABULARY))
    text = BertModel.from_pretrained(folder / TEXT, add_pooling_layer=False).eval()
    vision = ViTModel.from_pretrained(folder / VISION, add_pooling_layer=False).eval()
    return Separate(text, vision, words_of(tokenizer), small_picture(config.image_size))


def words_of(tokenizer: Any) -> Callable[[list[str]], tuple[Tensor, Tensor]]:
    """Sentences to token numbers and their mask by a tokenizer of the tokenizers library."""

    def tokenize(texts: list[str]) -> tuple[Tensor, Tensor]:
        found = tokenizer.encode_batch(texts)
        return torch.tensor([e.ids for e in found]), torch.tensor([e.attention_mask for e in found])

    return tokenize


def small_picture(size: int) -> Callable[[Image.Image], Tensor]:
    """A picture to [3, size, size], in [-1, 1]."""
    from torchvision.transforms.v2.functional import pil_to_tensor

    def transform(picture: Image.Image) -> Tensor:
        small = picture if picture.size == (size, size) else picture.resize((size, size), Image.Resampling.BICUBIC)
        return pil_to_tensor(small).float() / 127.5 - 1

    return transform
