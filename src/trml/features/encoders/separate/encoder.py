"""A text model and a picture model of transformers that have nothing to do with each other: an encoder whose two spaces
are not aligned."""

from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from trml.features.encoders.common.from_hub import TEXT, VISION, load_pretrained, load_processor, load_tokenizer
from trml.features.encoders.common.vocabulary import check_vocabulary, count_cut
from trml.features.encoders.contract import Sentences
from trml.features.encoders.separate.config import SeparateEncoder


@dataclass
class Separate:
    """The two models with their own tokenizer and picture processor. Features are plain means of last hidden states."""

    text: Any
    tokenizer: Any
    vision: Any
    processor: Any

    def to(self, device: torch.device) -> None:
        """Move the weights."""
        self.text.to(device)
        self.vision.to(device)

    def transform(self, picture: Image.Image) -> Tensor:
        """[3, H, W] of an RGB picture."""
        return self.processor(images=picture, return_tensors="pt")["pixel_values"][0]

    @property
    def _longest(self) -> int:
        """The most tokens that the text model reads."""
        return min(self.tokenizer.model_max_length, getattr(self.text.config, "max_position_embeddings", 512))

    def count_cut(self, texts: list[str]) -> list[int]:
        """How many tokens of each text lie behind the longest that the model reads."""
        return count_cut(self.tokenizer, texts, self._longest)

    @torch.no_grad()
    def encode_sentences(self, texts: list[str], device: torch.device) -> Sentences:
        """Each token's last hidden state, and their mean over the tokens that are no padding."""
        inputs = self.tokenizer(texts, padding=True, truncation=True, max_length=self._longest, return_tensors="pt")
        mask = inputs["attention_mask"].bool()
        states = self.text(**inputs.to(device)).last_hidden_state.float().cpu() * mask[..., None]
        return Sentences(states.sum(dim=1) / mask.sum(dim=1, keepdim=True), states, mask)

    @torch.no_grad()
    def encode_images(self, pixels: Tensor, device: torch.device) -> Tensor:
        """Mean of the last hidden state [B, d_v] f32 on the CPU, of pictures [B, 3, H, W]; a GPU computes in halves."""
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            states = self.vision(pixel_values=pixels.to(device)).last_hidden_state
        return mean_state(states).float().cpu()


def mean_state(states: Tensor) -> Tensor:
    """Mean over all places [B, d] of a transformer's states [B, L, d] or a convolutional network's [B, d, H, W]."""
    return states.mean(dim=1) if states.ndim == 3 else states.mean(dim=(2, 3))


def load_separate(config: SeparateEncoder) -> Separate:
    """Two models of transformers, each from a local folder or by its name on the hub.

    Raises WeightsMissing that says which weights, where they were looked for and how to bring them.
    """
    text, tokenizer = load_pretrained(config.name, TEXT, config.text, load_tokenizer)
    check_vocabulary(tokenizer, config.name, text.config.vocab_size)
    vision, processor = load_pretrained(config.name, VISION, config.vision, load_processor)
    return Separate(text, tokenizer, vision, processor)
