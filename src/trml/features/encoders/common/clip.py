"""CLIP as an encoder: the model, its own picture transform, its own tokenizer, from any of three sources."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from trml.features.encoders.common.open_clip import open_clip
from trml.features.encoders.common.vocabulary import count_cut
from trml.features.encoders.contract import Sentences


@dataclass
class Clip:
    """A loaded CLIP. `transform` maps an RGB picture to [3, H, W]; `tokenize` maps sentences to int [B, context]."""

    model: nn.Module
    transform: Callable[[Image.Image], Tensor]
    tokenize: Callable[[list[str]], Tensor]

    def to(self, device: torch.device) -> None:
        """Move the weights."""
        self.model.to(device)

    def count_cut(self, texts: list[str]) -> list[int]:
        """How many tokens of each text lie behind the end of what the model reads, start and end tokens counted."""
        tokenizer: Any = self.tokenize
        if hasattr(tokenizer, "tokenizer"):  # one of transformers inside
            return count_cut(tokenizer.tokenizer, texts, tokenizer.context_length)
        return [max(0, len(tokenizer.encode(text)) + 2 - tokenizer.context_length) for text in texts]

    @torch.no_grad()
    def encode_ids(self, ids: Tensor, device: torch.device) -> Tensor:
        """Unit-length features [B, d] f32 on the CPU, of sentences as token numbers [B, context]."""
        return self.model.encode_text(ids.to(device), normalize=True).float().cpu()  # type: ignore[operator]

    def encode_sentences(self, texts: list[str], device: torch.device) -> Sentences:
        """Unit-length features and, where the text tower is CLIP's own, unit-length tokens in the same space.

        CLIP's feature of a sentence is its end token, which has the highest number of all. Each token from the start to
        that end goes the same way: final norm, projection, unit length. No token sees those behind it, so none sees
        the padding.
        """
        ids = self.tokenize(texts)
        if not self._ends_pooled():
            return Sentences(self.encode_ids(ids, device))
        ends = ids.argmax(dim=1)
        length = int(ends.max()) + 1
        tokens = self._every_token(ids, device)[:, :length]
        mask = torch.arange(length) <= ends[:, None]
        return Sentences(tokens[torch.arange(len(ids)), ends], tokens * mask[..., None], mask)

    def _ends_pooled(self) -> bool:
        """Whether the model is open_clip's own CLIP whose text feature is the end token under a causal mask."""
        model = self.model
        return isinstance(model, open_clip.CLIP) and model.text_pool_type == "argmax" and model.attn_mask is not None

    def _every_token(self, ids: Tensor, device: torch.device) -> Tensor:
        """What the model would pool, [B, context, d], by its own way of not pooling."""
        model = self.model
        assert isinstance(model, open_clip.CLIP)
        kept, model.text_pool_type = model.text_pool_type, "none"
        try:
            return self.encode_ids(ids, device)
        finally:
            model.text_pool_type = kept

    @torch.no_grad()
    def encode_images(self, pixels: Tensor, device: torch.device) -> Tensor:
        """Unit-length features [B, d] f32 on the CPU, of pictures [B, 3, H, W]; on a GPU in half precision."""
        if device.type == "cuda":
            pixels = pixels.pin_memory()
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            features = self.model.encode_image(pixels.to(device, non_blocking=True), normalize=True)  # type: ignore[operator]
        return features.float().cpu()
