"""CLIP through transformers: the same weights give the same features as through open_clip. SigLIP, too."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.synthetic_encoders import write_siglip, write_tokenizer
from trml.base.errors import WeightsMissing
from trml.features.encoders.common.clip import Clip
from trml.features.encoders.common.open_clip import PreprocessCfg, image_transform_v2, open_clip
from trml.features.encoders.transformers_clip.config import TransformersClipEncoder
from trml.features.encoders.transformers_clip.encoder import load

CPU = torch.device("cpu")
WIDTH, LAYERS, EMBED, CONTEXT, SIZE, PATCH = 64, 2, 32, 20, 32, 8
TEXTS = ["the show was good", "oh", "a face , and 3 more words that nobody says " * 4]


@pytest.fixture(scope="module")
def ours() -> Clip:
    """A small CLIP of open_clip's own class."""
    torch.manual_seed(0)
    model = open_clip.CLIP(
        EMBED,
        vision_cfg={"image_size": SIZE, "patch_size": PATCH, "width": WIDTH, "layers": LAYERS, "head_width": 32},
        text_cfg={"context_length": CONTEXT, "vocab_size": 49408, "width": WIDTH, "heads": 2, "layers": LAYERS},
    )
    transform = image_transform_v2(PreprocessCfg(size=SIZE), is_train=False)
    return Clip(model.eval(), transform, open_clip.tokenizer.SimpleTokenizer(context_length=CONTEXT))


def _tower(state, prefix, target):
    """The blocks of one transformer under the names of the other."""
    found = {}
    for i in range(LAYERS):
        here, there = f"{prefix}transformer.resblocks.{i}.", f"{target}encoder.layers.{i}."
        for kind in ("weight", "bias"):
            parts = state[f"{here}attn.in_proj_{kind}"].chunk(3)
            found |= {f"{there}self_attn.{n}_proj.{kind}": part for n, part in zip("qkv", parts, strict=True)}
            names = {"attn.out_proj": "self_attn.out_proj", "ln_1": "layer_norm1", "ln_2": "layer_norm2"}
            names |= {"mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
            found |= {f"{there}{new}.{kind}": state[f"{here}{old}.{kind}"] for old, new in names.items()}
    return found


@pytest.fixture(scope="module")
def folder(ours, tmp_path_factory):
    """The same weights as transformers keeps them, with a tokenizer of the same merges and CLIP's picture processor."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip")
    sizes = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_hidden_layers": LAYERS, "hidden_act": "gelu"}
    text = {**sizes, "num_attention_heads": 2, "max_position_embeddings": CONTEXT, "vocab_size": 49408}
    text |= {"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407}
    vision = {**sizes, "num_attention_heads": 2, "image_size": SIZE, "patch_size": PATCH}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=EMBED)).eval()
    state = ours.model.state_dict()
    renamed = {
        "text_model.embeddings.token_embedding.weight": state["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": state["positional_embedding"],
        "text_projection.weight": state["text_projection"].T,
        "vision_model.embeddings.class_embedding": state["visual.class_embedding"],
        "vision_model.embeddings.patch_embedding.weight": state["visual.conv1.weight"],
        "vision_model.embeddings.position_embedding.weight": state["visual.positional_embedding"],
        "visual_projection.weight": state["visual.proj"].T,
        "logit_scale": state["logit_scale"],
        **_tower(state, "", "text_model."),
        **_tower(state, "visual.", "vision_model."),
    }
    norms = {"text_model.final_layer_norm": "ln_final", "vision_model.pre_layrnorm": "visual.ln_pre"}
    norms |= {"vision_model.post_layernorm": "visual.ln_post"}
    renamed |= {f"{new}.{k}": state[f"{old}.{k}"] for new, old in norms.items() for k in ("weight", "bias")}
    model.load_state_dict(renamed)
    model.save_pretrained(folder)
    own = ours.tokenize
    ends = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    (folder / "vocab.json").write_text(json.dumps({ends.get(k, k): v for k, v in own.encoder.items()}))
    merges = sorted(own.bpe_ranks, key=own.bpe_ranks.get)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n")
    CLIPTokenizer.from_pretrained(folder).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": SIZE}, crop_size=SIZE).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def theirs(folder):
    return load(TransformersClipEncoder("transformers_clip", "made", str(folder), 2, None, 4), None, CPU)


def test_texts_and_tokens_are_the_same_by_both_ways(ours, theirs):
    a, b = ours.encode_sentences(TEXTS), theirs.encode_sentences(TEXTS)
    np.testing.assert_allclose(a.pooled.values, b.pooled.values, atol=1e-5)
    assert (a.tokens.mask == b.tokens.mask).all()
    np.testing.assert_allclose(a.tokens.values, b.tokens.values, atol=1e-5)
    assert ours.count_cut(TEXTS) == theirs.count_cut(TEXTS)
    assert ours.count_cut(TEXTS)[2] > 0 and ours.count_cut(TEXTS)[:2] == [0, 0]


def test_pictures_are_the_same_by_both_ways(ours, theirs):
    picture = Image.effect_mandelbrot((90, 60), (-2, -1, 1, 1), 50).convert("RGB")
    a, b = ours.transform(picture), theirs.transform(picture)
    np.testing.assert_allclose(a, b, atol=0.02)  # each library rounds the resized picture in its own place
    np.testing.assert_allclose(ours.encode_images(a[None]), theirs.encode_images(a[None]), atol=1e-5)
    np.testing.assert_allclose(ours.encode_images(a[None]), theirs.encode_images(b[None]), atol=5e-3)


def test_a_siglip_has_no_tokens(tmp_path):
    from transformers import AutoTokenizer

    model = write_siglip(tmp_path)
    loaded = load(TransformersClipEncoder("transformers_clip", "made", str(tmp_path), 2, None, 4), None, CPU)
    found = loaded.encode_sentences(["word3 word4", "word5"])
    pooled = found.pooled.values[:, 0]
    assert found.tokens is None and pooled.shape == (2, 32)
    ids = AutoTokenizer.from_pretrained(tmp_path)(["word3 word4"], padding="max_length", max_length=16)["input_ids"]
    with torch.no_grad():
        direct = model.text_model(torch.tensor(ids)).pooler_output
    np.testing.assert_allclose(pooled[:1], direct / direct.norm(), atol=1e-5)
    assert loaded.count_cut(["word1 " * 40]) == [24]


def test_models_that_are_not_of_one_space_are_refused(tmp_path):
    from transformers import BertConfig, BertModel, ViTImageProcessor

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=2000, **sizes)).save_pretrained(tmp_path)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    write_tokenizer(tmp_path)
    with pytest.raises(WeightsMissing, match="is a BertModel; expected a model of texts and pictures in one space"):
        load(TransformersClipEncoder("transformers_clip", "made", str(tmp_path), 2, None, 4), None, CPU)


def test_a_checkpoint_that_lacks_weights_is_refused(folder, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    weights = load_file(broken / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsMissing, match=r"lacks 1 weights of its model, visual_projection.weight"):
        load(TransformersClipEncoder("transformers_clip", "made", str(broken), 2, None, 4), None, CPU)
    with pytest.raises(WeightsMissing, match="it is no local folder"):
        load(TransformersClipEncoder("transformers_clip", "made", str(tmp_path / "no"), 2, None, 4), None, CPU)
