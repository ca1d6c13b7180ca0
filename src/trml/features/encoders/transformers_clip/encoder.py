"""CLIP or SigLIP through transformers: from a local folder or a name on the hub."""

from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from trml.base.errors import WeightsMissing
from trml.features.encoders.common.from_hub import MODEL, load_pretrained, load_processor, load_tokenizer
from trml.features.encoders.common.vocabulary import check_vocabulary, count_cut
from trml.features.encoders.contract import Sentences
from trml.features.encoders.transformers_clip.config import TransformersClipEncoder


@dataclass
class TransformersClip:
    """A model of one space for both, with its own tokenizer and picture processor. Features have unit length."""

    model: Any
    tokenizer: Any
    processor: Any

    def to(self, device: torch.device) -> None:
        """Move the weights."""
        self.model.to(device)

    def transform(self, picture: Image.Image) -> Tensor:
        """[3, H, W] of an RGB picture."""
        return self.processor(images=picture, return_tensors="pt")["pixel_values"][0]

    @property
    def _longest(self) -> int:
        """The tokens that the text model reads."""
        return self.model.config.text_config.max_position_embeddings

    def count_cut(self, texts: list[str]) -> list[int]:
        """How many tokens of each text lie behind the end of what the model reads."""
        return count_cut(self.tokenizer, texts, self._longest)

    @torch.no_grad()
    def encode_sentences(self, texts: list[str], device: torch.device) -> Sentences:
        """Unit-length features; of a CLIP also its tokens, each through the last norm and the projection as the end
        token is, from the start to that end. Padded to the model's length and without a mask of the padding, as such
        models are trained."""
        inputs = self.tokenizer(
            texts, padding="max_length", truncation=True, max_length=self._longest, return_tensors="pt"
        )
        ids = inputs["input_ids"].to(device)
        pooled = _tensor(self.model.get_text_features(input_ids=ids))
        sentences = Sentences(normalize(pooled.float(), dim=-1).cpu())
        if hasattr(self.model, "text_projection"):
            states = self.model.text_model(input_ids=ids).last_hidden_state
            # CLIP's end token is the first of its kind: the padding is of the same kind.
            ends = (ids == self.tokenizer.eos_token_id).int().argmax(dim=1).cpu()
            length = int(ends.max()) + 1
            tokens = normalize(self.model.text_projection(states).float(), dim=-1).cpu()[:, :length]
            sentences.mask = torch.arange(length) <= ends[:, None]
            sentences.tokens = tokens * sentences.mask[..., None]
        return sentences

    @torch.no_grad()
    def encode_images(self, pixels: Tensor, device: torch.device) -> Tensor:
        """Unit-length features [B, d] f32 on the CPU, of pictures [B, 3, H, W]; on a GPU in half precision."""
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            features = _tensor(self.model.get_image_features(pixel_values=pixels.to(device)))
        return normalize(features.float(), dim=-1).cpu()


def _tensor(output: Any) -> Tensor:
    """The features, which some versions of transformers wrap in an output of a model."""
    return output if isinstance(output, Tensor) else output.pooler_output


def load_transformers_clip(config: TransformersClipEncoder) -> TransformersClip:
    """A model of transformers that has features of texts and of pictures in one space.

    Raises WeightsMissing that says which weights, where they were looked for and how to bring them.
    """
    model, tokenizer, processor = load_pretrained(config.name, MODEL, config.model, load_tokenizer, load_processor)
    if not (hasattr(model, "get_text_features") and hasattr(model, "get_image_features")):
        raise WeightsMissing(
            f"encoder {config.name}: {config.model} is a {type(model).__name__}; expected a model of texts and "
            "pictures in one space, such as CLIP or SigLIP. For two models apart use encoder=separate"
        )
    check_vocabulary(tokenizer, config.name, model.config.text_config.vocab_size)
    return TransformersClip(model, tokenizer, processor)
