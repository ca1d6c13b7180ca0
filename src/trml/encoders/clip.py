"""CLIP as an encoder: the model, its own picture transform, its own tokenizer, from any of three sources."""

import difflib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from trml.config import OpenClipEncoder, TinyClipEncoder
from trml.encoders.base import Sentences
from trml.encoders.open_clip import PreprocessCfg, image_transform_v2, open_clip
from trml.encoders.vocabulary import check_vocabulary, count_cut
from trml.errors import WeightsMissing


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


def new_tiny_clip(config: TinyClipEncoder) -> Clip:
    """open_clip's own CLIP class at the size of the configuration, with fresh weights from torch's current RNG."""
    model = open_clip.CLIP(embed_dim=config.embed_dim, vision_cfg=asdict(config.vision), text_cfg=asdict(config.text))
    transform = image_transform_v2(PreprocessCfg(size=config.vision.image_size), is_train=False)
    tokenizer = open_clip.tokenizer.SimpleTokenizer(context_length=config.text.context_length)
    return Clip(model.eval(), transform, tokenizer)


def load_tiny_clip(config: TinyClipEncoder, folder: Path) -> Clip:
    """The tiny CLIP that encoders/pretrain.py saved in `folder`."""
    clip = new_tiny_clip(config)
    clip.model.load_state_dict(load_file(folder / "model.safetensors"))
    return clip


def load_open_clip(config: OpenClipEncoder, device: torch.device) -> Clip:
    """A model that open_clip knows by name, its weights from a pretrained tag or from a local file.

    Raises WeightsMissing that says which weights, where they were looked for and how to bring them.
    """
    known = open_clip.list_models()
    if config.model not in known:
        near = difflib.get_close_matches(config.model, known, n=3)
        raise WeightsMissing(f"encoder {config.name}: open_clip has no model {config.model!r}; near are {near}")
    if config.checkpoint is not None and not Path(config.checkpoint).is_file():
        raise WeightsMissing(
            f"encoder {config.name}: checkpoint {config.checkpoint} is not a file; expected weights of "
            f"{config.model} (.safetensors or .pt). Bring it there or set encoder.checkpoint=<file>"
        )
    tags = open_clip.list_pretrained_tags_by_model(config.model)
    if config.pretrained is not None and config.pretrained not in tags:
        raise WeightsMissing(
            f"encoder {config.name}: open_clip has no tag {config.pretrained!r} of {config.model}; "
            + (f"it has {', '.join(tags)}" if tags else "it has none, set encoder.checkpoint=<file>")
        )
    try:
        model, transform = open_clip.create_model_from_pretrained(
            config.model, pretrained=config.checkpoint or config.pretrained, device=device
        )
    except Exception as error:  # open_clip, the hub client and torch each raise their own kinds
        raise WeightsMissing(_how_to_bring(config, error)) from None
    tokenizer = open_clip.get_tokenizer(config.model)
    check_vocabulary(tokenizer, config.name)
    return Clip(model.eval(), transform, tokenizer)


def _how_to_bring(config: OpenClipEncoder, error: Exception) -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
    if config.checkpoint is not None:
        return f"encoder {config.name}: {config.checkpoint} does not hold weights of {config.model}: {reason}"
    source = open_clip.get_pretrained_cfg(config.model, config.pretrained)
    return (
        f"encoder {config.name}: the weights of {config.model} with tag {config.pretrained!r} cannot be had: not in "
        f"the cache {HF_HUB_CACHE}, and the download of {source.get('hf_hub') or source.get('url')} failed ({reason}). "
        "Run once where there is a network, or bring the file and set encoder.pretrained=null encoder.checkpoint=<file>"
    )
