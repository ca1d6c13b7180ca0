"""Encode with a text model and a picture model of transformers whose two spaces are not aligned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from trml.features.encoders.common.from_hub import TEXT, VISION, load_pretrained, load_processor, load_tokenizer
from trml.features.encoders.common.truncation import count_cut
from trml.features.encoders.common.vocabulary import check_vocabulary
from trml.features.encoders.contract import Encoded, Sequences, vectors


@dataclass
class Separate:
    """The two models with their tokenizer and picture processor. Features are means of last hidden states."""

    text: Any
    tokenizer: Any
    vision: Any
    processor: Any

    modalities = ("text", "vision")

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.text.parameters()).device

    def transform(self, picture: Image.Image) -> Tensor:
        """Turn an RGB picture into [3, H, W]."""
        return self.processor(images=picture, return_tensors="pt")["pixel_values"][0]

    @property
    def _longest(self) -> int:
        """The most tokens that the text model reads."""
        return min(self.tokenizer.model_max_length, getattr(self.text.config, "max_position_embeddings", 512))

    def count_cut(self, texts: list[str]) -> list[int]:
        """Return how many tokens of each text exceed the model's limit."""
        return count_cut(self.tokenizer, texts, self._longest)

    def encode(self, modality: str, items: Sequence[Any]) -> Encoded:
        """Encode sentences, or frames that `transform` made."""
        if modality == "text":
            return self.encode_sentences(list(items))
        return vectors(self.encode_images(torch.stack(list(items))))

    @torch.no_grad()
    def encode_sentences(self, texts: list[str]) -> Encoded:
        """Encode sentences: each token's last hidden state, and their mean without the padding."""
        inputs = self.tokenizer(texts, padding=True, truncation=True, max_length=self._longest, return_tensors="pt")
        mask = inputs["attention_mask"].bool()
        states = self.text(**inputs.to(self.device)).last_hidden_state.float().cpu() * mask[..., None]
        return vectors(states.sum(dim=1) / mask.sum(dim=1, keepdim=True), Sequences(states, mask))

    @torch.no_grad()
    def encode_images(self, pixels: Tensor) -> Tensor:
        """Return features [B, d], f32 on the CPU, of pictures [B, 3, H, W]. A GPU computes in half precision."""
        device = self.device
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            states = self.vision(pixel_values=pixels.to(device)).last_hidden_state
        return mean_state(states).float().cpu()


def mean_state(states: Tensor) -> Tensor:
    """Return the mean over places, [B, d], of a transformer's states [B, L, d] or a convolution's [B, d, H, W]."""
    return states.mean(dim=1) if states.ndim == 3 else states.mean(dim=(2, 3))


def load_separate(name: str, text: str, vision: str, device: torch.device) -> Separate:
    """Load a text model and a picture model, each from a local folder or by its name on the hub.

    Args:
        name: Of the encoder, for messages.
        text: The source of the text model.
        vision: The source of the picture model.
        device: Where to put them.

    Raises:
        WeightsMissing: If one cannot be loaded.
    """
    text_model, tokenizer = load_pretrained(name, TEXT, text, load_tokenizer)
    check_vocabulary(tokenizer, name, text_model.config.vocab_size)
    vision_model, processor = load_pretrained(name, VISION, vision, load_processor)
    return Separate(text_model.to(device), tokenizer, vision_model.to(device), processor)
