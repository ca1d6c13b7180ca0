"""A text model and a picture model of transformers that have nothing to do with each other: an encoder whose two spaces
are not aligned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from trml.config import SeparateEncoder, TinySeparateEncoder
from trml.encoders.base import Sentences
from trml.encoders.transformers import AutoImageProcessor, AutoModel, AutoTokenizer
from trml.encoders.vocabulary import check_vocabulary
from trml.errors import WeightsMissing

TEXT, VISION = "text", "vision"  # the folders of a pretrained pair, each as save_pretrained leaves it


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

    @torch.no_grad()
    def encode_sentences(self, texts: list[str], device: torch.device) -> Sentences:
        """Each token's last hidden state, and their mean over the tokens that are no padding."""
        longest = min(self.tokenizer.model_max_length, getattr(self.text.config, "max_position_embeddings", 512))
        inputs = self.tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
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
    text, tokenizer = _load(config.name, TEXT, config.text, AutoTokenizer)
    check_vocabulary(tokenizer, config.name, text.config.vocab_size)
    vision, processor = _load(config.name, VISION, config.vision, AutoImageProcessor, backend="pil")
    return Separate(text, tokenizer, vision, processor)


def load_tiny_separate(config: TinySeparateEncoder, folder: Path) -> Separate:
    """The pair that encoders/pretrain_separate.py saved in `folder`."""
    sources = str(folder / TEXT), str(folder / VISION)
    return load_separate(
        SeparateEncoder("separate", config.name, *sources, config.frames, config.frames_per_second, config.batch_size)
    )


def _load(name: str, part: str, source: str, preparer: Any, **options: Any) -> tuple[Any, Any]:
    """A model in evaluation mode, and its tokenizer or picture processor."""
    try:
        model, found = AutoModel.from_pretrained(source, output_loading_info=True, dtype=torch.float32)
        prepare = preparer.from_pretrained(source, **options)
    except Exception as error:  # transformers, the hub client and torch each raise their own kinds
        raise WeightsMissing(_how_to_bring(name, part, source, error)) from None
    # What a checkpoint lacks transformers draws at random, and says so in a log line only. Poolers are not used here.
    lacking = sorted(key for key in found["missing_keys"] if "pooler" not in key)
    if lacking:
        raise WeightsMissing(
            f"encoder {name}: {source} lacks {len(lacking)} weights of its {part} model, {lacking[0]} among them; "
            f"expected all. Bring a whole checkpoint or set encoder.{part}=<folder>"
        )
    return model.eval(), prepare


def _how_to_bring(name: str, part: str, source: str, error: Exception) -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
    files = "config.json, model.safetensors and " + (
        "the tokenizer's files" if part == TEXT else "preprocessor_config.json"
    )
    if Path(source).is_dir():
        return (
            f"encoder {name}: the folder {source} does not hold a {part} model ({reason}); expected {files}, "
            "as save_pretrained of transformers leaves them"
        )
    return (
        f"encoder {name}: the {part} model {source} cannot be had: it is no folder here, not in the cache "
        f"{HF_HUB_CACHE}, and the download failed ({reason}). Run once where there is a network, or bring a folder "
        f"with {files} and set encoder.{part}=<folder>"
    )
