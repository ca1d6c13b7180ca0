"""Pretrain a small BERT and a small vision transformer apart: no pairs, no labels, nothing that aligns their spaces.

The text model predicts masked words. The picture model is an autoencoder: one linear layer reconstructs the picture
from the mean of its last hidden state. Predicting masked patches, the usual way, leaves hardly anything of a face's
expression in that mean in so small a model, and comparing with an aligned encoder must measure alignment, not how much
the features know.
"""

import string
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from trml.base.artifacts import write_json
from trml.base.errors import ContractError
from trml.base.progress import track
from trml.features.encoders.common.from_hub import TEXT, VISION
from trml.features.encoders.common.optimise import optimise
from trml.features.encoders.common.pairs import pair_table, pictures
from trml.features.encoders.common.separate import mean_state
from trml.features.encoders.common.transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    ViTConfig,
    ViTForMaskedImageModeling,
    ViTImageProcessorPil,
)
from trml.features.encoders.tiny_separate.config import TinyBert, TinySeparateEncoder
from trml.seeding import generator, stream_seed

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_MASK = _SPECIAL.index("[MASK]")
_IGNORED = -100  # BertForMaskedLM leaves these places out of its loss
_LEAST_CONTRAST = 0.05  # of a window, so that a flat one is not amplified


def pretrain(
    config: TinySeparateEncoder, corpus: Path, data: Path, folder: Path, seed: int, device: torch.device
) -> None:
    """Train on the sentences and the pictures of the corpus's `train` pairs.

    `folder` gets text/ and vision/, in the form of transformers, and encoder.json. Without pictures the vision
    transformer keeps its initial weights.

    Raises:
        ContractError: If no training utterance has a text.
    """
    table = pair_table(corpus, "train")
    sentences = [text for text in table["text"] if text != ""]
    if not sentences:
        raise ContractError(f"corpus {corpus.name}: no train utterance has a text, and a BERT learns from texts")
    processor = _processor(config)
    read = track(pictures(corpus, data, table["image"]), table.height, "pictures read")
    pixels = [processor(images=picture, return_tensors="pt")["pixel_values"] for _, picture in read]
    losses = {
        TEXT: _pretrain_text(config, sentences, folder / TEXT, seed, device),
        VISION: _pretrain_vision(config, torch.cat(pixels), folder / VISION, seed, device) if pixels else [],
    }
    if not pixels:
        _fresh(ViTForMaskedImageModeling, _vit(config), seed).vit.save_pretrained(folder / VISION)
    processor.save_pretrained(folder / VISION)
    record = {
        "name": config.name,
        "how": "a BERT by masked words and a vision transformer by autoencoding, pretrained apart by the workflow "
        f"on {len(sentences)} sentences and {len(pixels)} pictures",
        "loss_by_epoch": losses,
    }
    write_json(folder / "encoder.json", record)


def _pretrain_text(
    config: TinySeparateEncoder, sentences: list[str], folder: Path, seed: int, device: torch.device
) -> list[float]:
    """Train BERT's masked words: of the predicted ones 80 % are masked, 10 % replaced, 10 % unchanged."""
    tokenizer, options = make_tokenizer(sentences, config.text), config.pretraining.text
    tokenizer.save_pretrained(folder)
    given = tokenizer(sentences, padding=True, truncation=True, return_special_tokens_mask=True, return_tensors="pt")
    words = ~given["special_tokens_mask"].bool()
    model = _fresh(BertForMaskedLM, _bert(config.text, len(tokenizer)), seed).to(device).train()
    rng = generator(seed, "masked words")

    def loss_of(rows: Tensor) -> Tensor:
        ids = given["input_ids"][rows]
        dice, others = torch.from_numpy(rng.random((2, *ids.shape)))
        predicted = words[rows] & (dice < options.masked)
        fate = dice / options.masked
        shown = torch.where(predicted & (fate < 0.8), _MASK, ids)
        shown = torch.where(predicted & (fate >= 0.9), _to_words(others, len(tokenizer)), shown)
        labels = torch.where(predicted, ids, _IGNORED)
        mask = given["attention_mask"][rows]
        return model(shown.to(device), mask.to(device), labels=labels.to(device)).loss

    losses = optimise(
        model.parameters(), loss_of, len(sentences), options, generator(seed, "order of sentences"), "words"
    )
    model.bert.cpu().save_pretrained(folder)
    return losses


def _to_words(uniform: Tensor, size: int) -> Tensor:
    """Turn uniform numbers in [0, 1) into numbers of tokens that are not special."""
    return len(_SPECIAL) + (uniform * (size - len(_SPECIAL))).long()


def make_tokenizer(sentences: list[str], config: TinyBert) -> BertTokenizer:
    """Return BERT's tokenizer with the most frequent words; other words are spelt in letters.

    The trainers of `tokenizers` order equally frequent words differently each time, so the vocabulary is made here.
    """
    backend = BertTokenizer(vocab={token: i for i, token in enumerate(_SPECIAL)}).backend_tokenizer
    counts = Counter(
        word
        for sentence in sentences
        for word, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(sentence))
    )
    letters = sorted(string.ascii_lowercase + string.digits + string.punctuation)
    by_count = sorted(counts, key=lambda word: (-counts[word], word))
    known = dict.fromkeys([*_SPECIAL, *letters, *(f"##{letter}" for letter in letters), *by_count])
    vocabulary = {token: i for i, token in enumerate(list(known)[: config.vocab_size])}
    return BertTokenizer(vocab=vocabulary, model_max_length=config.context_length)


def _bert(config: TinyBert, vocabulary: int) -> BertConfig:
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=4 * config.width,
        max_position_embeddings=config.context_length,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def _pretrain_vision(
    config: TinySeparateEncoder, pixels: Tensor, folder: Path, seed: int, device: torch.device
) -> list[float]:
    """Train the autoencoder. Its decoder is SimMIM's linear layer, with one patch: the whole small picture."""
    options = config.pretraining.vision
    small = F.interpolate(pixels, options.rebuilt_size, mode="area")
    target = small if options.window is None else without_own_contrast(small, options.window)
    model = _fresh(ViTForMaskedImageModeling, _vit(config), seed).to(device).train()

    def loss_of(rows: Tensor) -> Tensor:
        code = mean_state(model.vit(pixels[rows].to(device)).last_hidden_state)
        return F.mse_loss(model.decoder(code[:, :, None, None]), target[rows].to(device))

    rng = generator(seed, "order of pictures")
    losses = optimise(model.parameters(), loss_of, len(pixels), options, rng, "pictures")
    model.vit.cpu().save_pretrained(folder)
    return losses


def without_own_contrast(pictures: Tensor, window: int) -> Tensor:
    """Return pictures [B, 3, H, W] without the mean colour of each square window, its contrast scaled to one.

    The drawing is left: the uninformative colour of a background no longer outweighs a mouth.
    """
    size = pictures.shape[-2:]
    colours = F.unfold(pictures, window, stride=window).unflatten(1, (3, -1))
    centred = colours - colours.mean(dim=2, keepdim=True)
    scaled = centred / (centred.std(dim=(1, 2), keepdim=True) + _LEAST_CONTRAST)
    return F.fold(scaled.flatten(1, 2), size, window, stride=window)


def _vit(config: TinySeparateEncoder) -> ViTConfig:
    return ViTConfig(
        image_size=config.vision.image_size,
        patch_size=config.vision.patch_size,
        hidden_size=config.vision.width,
        num_hidden_layers=config.vision.layers,
        num_attention_heads=config.vision.width // config.vision.head_width,
        intermediate_size=4 * config.vision.width,
        encoder_stride=config.pretraining.vision.rebuilt_size,
    )


def _processor(config: TinySeparateEncoder) -> ViTImageProcessorPil:
    size = config.vision.image_size
    return ViTImageProcessorPil(size={"height": size, "width": size})


def _fresh(kind: type, config: BertConfig | ViTConfig, seed: int):  # type: ignore[no-untyped-def]
    """Return a model with initial weights from its own random stream."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "tiny separate init", kind.__name__))
        return kind(config)
