"""Encode with a CLIP or SigLIP of transformers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from trml.base.errors import WeightsMissing
from trml.features.encoders.common.from_hub import MODEL, load_pretrained, load_processor, load_tokenizer
from trml.features.encoders.common.truncation import count_cut
from trml.features.encoders.common.vocabulary import check_vocabulary
from trml.features.encoders.contract import Encoded, Sequences, vectors
from trml.features.encoders.transformers_clip.config import TransformersClipEncoder


@dataclass
class TransformersClip:
    """A model of one space, with its tokenizer and picture processor. All its features have unit length."""

    model: Any
    tokenizer: Any
    processor: Any

    modalities = ("text", "vision")

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.model.parameters()).device

    def transform(self, picture: Image.Image) -> Tensor:
        """Turn an RGB picture into [3, H, W]."""
        return self.processor(images=picture, return_tensors="pt")["pixel_values"][0]

    @property
    def _longest(self) -> int:
        """The most tokens that the text model reads."""
        return self.model.config.text_config.max_position_embeddings

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
        """Encode sentences; with a CLIP, also their tokens from the start to the end token.

        Each token goes through the last norm and the projection, as the end token does. Sentences are padded to the
        model's length, and the padding is not masked, as in the training of such models.
        """
        inputs = self.tokenizer(
            texts, padding="max_length", truncation=True, max_length=self._longest, return_tensors="pt"
        )
        ids = inputs["input_ids"].to(self.device)
        pooled = normalize(_tensor(self.model.get_text_features(input_ids=ids)).float(), dim=-1).cpu()
        if not hasattr(self.model, "text_projection"):
            return vectors(pooled)
        states = self.model.text_model(input_ids=ids).last_hidden_state
        # CLIP pads with its end token: the first of them is the end.
        ends = (ids == self.tokenizer.eos_token_id).int().argmax(dim=1).cpu()
        length = int(ends.max()) + 1
        tokens = normalize(self.model.text_projection(states).float(), dim=-1).cpu()[:, :length]
        mask = torch.arange(length) <= ends[:, None]
        return vectors(pooled, Sequences(tokens * mask[..., None], mask))

    @torch.no_grad()
    def encode_images(self, pixels: Tensor) -> Tensor:
        """Return features [B, d], f32 on the CPU, of pictures [B, 3, H, W]. A GPU computes in half precision."""
        device = self.device
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            features = _tensor(self.model.get_image_features(pixel_values=pixels.to(device)))
        return normalize(features.float(), dim=-1).cpu()


def _tensor(output: Any) -> Tensor:
    """Return the features, which some versions of transformers wrap in a model output."""
    return output if isinstance(output, Tensor) else output.pooler_output


def load(config: TransformersClipEncoder, folder: Path | None, device: torch.device) -> TransformersClip:
    """Load the model.

    Raises:
        WeightsMissing: If it is unavailable, or has no features of texts and pictures in one space.
    """
    model, tokenizer, processor = load_pretrained(config.name, MODEL, config.model, load_tokenizer, load_processor)
    if not (hasattr(model, "get_text_features") and hasattr(model, "get_image_features")):
        raise WeightsMissing(
            f"encoder {config.name}: {config.model} is a {type(model).__name__}; expected a model of texts and "
            "pictures in one space, such as CLIP or SigLIP. For two separate models use encoder=separate"
        )
    check_vocabulary(tokenizer, config.name, model.config.text_config.vocab_size)
    return TransformersClip(model.to(device), tokenizer, processor)
