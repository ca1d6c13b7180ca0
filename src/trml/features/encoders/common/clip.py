"""Encode with a CLIP of open_clip: the model, its picture transform and its tokenizer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from trml.features.encoders.common.open_clip import open_clip
from trml.features.encoders.common.truncation import count_cut
from trml.features.encoders.contract import Encoded, Sequences, vectors


@dataclass
class Clip:
    """A loaded CLIP. All its features have unit length.

    Attributes:
        model: In evaluation mode, on its device.
        picture_transform: Turns an RGB picture into [3, H, W].
        tokenize: Turns sentences into token numbers, int [B, context].
    """

    model: nn.Module
    picture_transform: Callable[[Image.Image], Tensor]
    tokenize: Callable[[list[str]], Tensor]

    modalities = ("text", "vision")

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.model.parameters()).device

    def transform(self, picture: Image.Image) -> Tensor:
        """Turn an RGB picture into [3, H, W]."""
        return self.picture_transform(picture)

    def count_cut(self, texts: list[str]) -> list[int]:
        """Return how many tokens of each text exceed the context; start and end tokens count."""
        tokenizer: Any = self.tokenize
        if hasattr(tokenizer, "tokenizer"):  # open_clip's wrapper around a tokenizer of transformers
            return count_cut(tokenizer.tokenizer, texts, tokenizer.context_length)
        return [max(0, len(tokenizer.encode(text)) + 2 - tokenizer.context_length) for text in texts]

    def encode(self, modality: str, items: Sequence[Any]) -> Encoded:
        """Encode sentences, or frames that `transform` made."""
        if modality == "text":
            return self.encode_sentences(list(items))
        return vectors(self.encode_images(torch.stack(list(items))))

    def encode_sentences(self, texts: list[str]) -> Encoded:
        """Encode sentences, with their tokens in the same space if the text tower is CLIP's own.

        CLIP's feature of a sentence is its end token, which has the highest number of all. Each token from the start to
        that end goes the same way: final norm, projection, unit length. No token sees a later one, so none sees the
        padding.
        """
        ids = self.tokenize(texts)
        if not self._pools_the_end():
            return vectors(self.encode_ids(ids))
        ends = ids.argmax(dim=1)
        length = int(ends.max()) + 1
        tokens = self.every_token(ids)[:, :length]
        mask = torch.arange(length) <= ends[:, None]
        return vectors(tokens[torch.arange(len(ids)), ends], Sequences(tokens * mask[..., None], mask))

    def _pools_the_end(self) -> bool:
        """Return whether the model is open_clip's own CLIP, which pools the end token under a causal mask."""
        model = self.model
        return isinstance(model, open_clip.CLIP) and model.text_pool_type == "argmax" and model.attn_mask is not None

    @torch.no_grad()
    def encode_ids(self, ids: Tensor) -> Tensor:
        """Return features [B, d], f32 on the CPU, of sentences as token numbers [B, context]."""
        return self.model.encode_text(ids.to(self.device), normalize=True).float().cpu()  # type: ignore[operator]

    def every_token(self, ids: Tensor) -> Tensor:
        """Return every token [B, context, d] as the model would pool it, by its own option not to pool."""
        model = self.model
        assert isinstance(model, open_clip.CLIP)
        kept, model.text_pool_type = model.text_pool_type, "none"
        try:
            return self.encode_ids(ids)
        finally:
            model.text_pool_type = kept

    @torch.no_grad()
    def encode_images(self, pixels: Tensor) -> Tensor:
        """Return features [B, d], f32 on the CPU, of pictures [B, 3, H, W]. A GPU computes in half precision."""
        device = self.device
        if device.type == "cuda":
            pixels = pixels.pin_memory()
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            features = self.model.encode_image(pixels.to(device, non_blocking=True), normalize=True)  # type: ignore[operator]
        return features.float().cpu()
