"""open_clip's and timm's towers give transformers' features for the same weights, from a file and by name.

The key mappings are written out here, independently of what the libraries can convert themselves.
"""

import json
from functools import partial
from pathlib import Path

import open_clip
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.models import VisionTransformer, build_model_with_cfg, register_model
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from models.encoders.vision import load_vision_tower

LAYERS, WIDTH, HEADS, PATCH, IMAGE = 4, 64, 4, 8, 32
OPEN_CLIP_NAME, OPEN_CLIP_PLAIN_NAME = "ViT-tiny-parity-quickgelu", "ViT-tiny-parity"
TIMM_NAME = "vit_tiny_parity_clip_quickgelu"
# transformers' name inside a layer -> (open_clip's, timm's); attention's q, k and v are joined separately
LAYER_PARTS = {
    "layer_norm1": ("ln_1", "norm1"),
    "layer_norm2": ("ln_2", "norm2"),
    "self_attn.out_proj": ("attn.out_proj", "attn.proj"),
    "mlp.fc1": ("mlp.c_fc", "mlp.fc1"),
    "mlp.fc2": ("mlp.c_proj", "mlp.fc2"),
}


@register_model
def vit_tiny_parity_clip_quickgelu(pretrained: bool = False, **kwargs) -> VisionTransformer:
    """The sizes of this file as a registered timm model, built as timm's own CLIP towers are."""
    sizes = {"img_size": IMAGE, "patch_size": PATCH, "embed_dim": WIDTH, "depth": LAYERS, "num_heads": HEADS}
    style = {"pre_norm": True, "norm_layer": partial(nn.LayerNorm, eps=1e-5), "act_layer": "quick_gelu"}
    return build_model_with_cfg(VisionTransformer, TIMM_NAME, pretrained, **sizes, **style, **kwargs)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory) -> Path:
    """A tiny transformers CLIP tower whose norms and biases are random too: zeros would hide a wrong mapping."""
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        image_size=IMAGE,
        patch_size=PATCH,
        hidden_act="quick_gelu",
    )
    model = CLIPVisionModel(config)
    for parameter in model.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("clip")
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip_state(clip_folder) -> dict[str, Tensor]:
    """Its weights under the names of transformers."""
    return load_file(clip_folder / "model.safetensors")


@pytest.fixture(scope="module", autouse=True)
def open_clip_models(tmp_path_factory) -> None:
    """The sizes of this file as registered open_clip models, with CLIP's activation and with the plain one."""
    vision = {"image_size": IMAGE, "layers": LAYERS, "width": WIDTH, "head_width": WIDTH // HEADS, "patch_size": PATCH}
    text = {"context_length": 8, "vocab_size": 32, "width": 16, "heads": 2, "layers": 1}
    folder = tmp_path_factory.mktemp("open_clip")
    for name, quick_gelu in ((OPEN_CLIP_NAME, True), (OPEN_CLIP_PLAIN_NAME, False)):
        config = {"embed_dim": 16, "quick_gelu": quick_gelu, "vision_cfg": vision, "text_cfg": text}
        (folder / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder)


def joined_attention(state: dict[str, Tensor], layer: int, kind: str) -> Tensor:
    """Query, key and value rows in one tensor, the order that both libraries use."""
    return torch.cat([state[f"encoder.layers.{layer}.self_attn.{part}_proj.{kind}"] for part in "qkv"])


def mapped_layers(state: dict[str, Tensor], column: int, joined_name: str, prefix: str) -> dict[str, Tensor]:
    """All transformer layers under the names of `LAYER_PARTS[...][column]`."""
    mapped = {}
    for layer in range(LAYERS):
        for kind in ("weight", "bias"):
            mapped[f"{prefix}{layer}.{joined_name.format(kind)}"] = joined_attention(state, layer, kind)
            for part, names in LAYER_PARTS.items():
                mapped[f"{prefix}{layer}.{names[column]}.{kind}"] = state[f"encoder.layers.{layer}.{part}.{kind}"]
    return mapped


def open_clip_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A whole open_clip checkpoint: the visual part from `state`, the rest as open_clip initialises it."""
    visual = {
        "class_embedding": state["embeddings.class_embedding"],
        "positional_embedding": state["embeddings.position_embedding.weight"],
        "conv1.weight": state["embeddings.patch_embedding.weight"],
        "ln_pre.weight": state["pre_layrnorm.weight"],
        "ln_pre.bias": state["pre_layrnorm.bias"],
        "ln_post.weight": state["post_layernorm.weight"],
        "ln_post.bias": state["post_layernorm.bias"],
    }
    visual |= mapped_layers(state, 0, "attn.in_proj_{}", "transformer.resblocks.")
    whole = open_clip.create_model(OPEN_CLIP_NAME).state_dict()
    return whole | {f"visual.{key}": value for key, value in visual.items()}


def timm_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A timm checkpoint with the classifier that published ones have."""
    mapped = {
        "cls_token": state["embeddings.class_embedding"][None, None],
        "pos_embed": state["embeddings.position_embedding.weight"][None],
        "patch_embed.proj.weight": state["embeddings.patch_embedding.weight"],
        "norm_pre.weight": state["pre_layrnorm.weight"],
        "norm_pre.bias": state["pre_layrnorm.bias"],
        "norm.weight": state["post_layernorm.weight"],
        "norm.bias": state["post_layernorm.bias"],
        "head.weight": torch.zeros(1000, WIDTH),
        "head.bias": torch.zeros(1000),
    }
    return mapped | mapped_layers(state, 1, "attn.qkv.{}", "blocks.")


BACKBONES = {"open_clip": (OPEN_CLIP_NAME, open_clip_state), "timm": (TIMM_NAME, timm_state)}


@pytest.fixture(params=BACKBONES)
def library(request) -> str:
    return request.param


@pytest.fixture
def checkpoint(library, clip_state, tmp_path) -> Path:
    """The same weights in the library's own file format."""
    path = tmp_path / f"{library}.safetensors"
    save_file({key: value.contiguous() for key, value in BACKBONES[library][1](clip_state).items()}, path)
    return path


def assert_equal_features(source: str, clip_folder: Path, feature_layer: int | None) -> None:
    """The source's features equal those of transformers' tower to 1e-5 of their largest value."""
    pixels = torch.randn(3, 3, IMAGE, IMAGE, generator=torch.Generator().manual_seed(1))
    expected_tower = load_vision_tower(str(clip_folder), feature_layer)
    tower = load_vision_tower(source, feature_layer)
    expected, features = expected_tower(pixels), tower(pixels)
    sizes = ("hidden_size", "num_patches", "image_size")
    assert [getattr(tower, size) for size in sizes] == [getattr(expected_tower, size) for size in sizes]
    torch.testing.assert_close(features, expected, atol=1e-5 * expected.abs().max().item(), rtol=0)


@pytest.mark.parametrize("feature_layer", [None, -2, -1, 1])
def test_features_from_a_checkpoint_file(library, checkpoint, clip_folder, feature_layer):
    assert_equal_features(f"{library}:{BACKBONES[library][0]}@{checkpoint}", clip_folder, feature_layer)


def test_features_from_a_training_checkpoint(library, checkpoint, clip_state, clip_folder, tmp_path):
    state = BACKBONES[library][1](clip_state)
    path = tmp_path / "epoch_1.pt"
    torch.save({"epoch": 1, "state_dict": {f"module.{key}": value for key, value in state.items()}}, path)
    assert_equal_features(f"{library}:{BACKBONES[library][0]}@{path}", clip_folder, -2)


def test_features_by_name(library, checkpoint, clip_folder, monkeypatch):
    """Both libraries are told that our file is what they publish, so nothing is downloaded."""
    if library == "timm":
        create_model = partial(timm.create_model, pretrained_cfg_overlay={"file": str(checkpoint)})
        monkeypatch.setattr(timm, "create_model", create_model)
    else:
        publish_in_open_clip(monkeypatch, OPEN_CLIP_NAME, openai={"file": str(checkpoint)})
    assert_equal_features(f"{library}:{BACKBONES[library][0]}", clip_folder, -2)


@pytest.mark.parametrize("library", ["open_clip"], indirect=True)
def test_open_clip_tags_bring_their_activation(checkpoint, clip_folder, monkeypatch):
    ours = {"file": str(checkpoint), "quick_gelu": True}
    publish_in_open_clip(monkeypatch, OPEN_CLIP_PLAIN_NAME, ours=ours, others={"file": "elsewhere"})
    assert_equal_features(f"open_clip:{OPEN_CLIP_PLAIN_NAME}@ours", clip_folder, -2)
    with pytest.raises(ValueError, match=r"one of its tags \['ours', 'others'\], got ''"):
        load_vision_tower(f"open_clip:{OPEN_CLIP_PLAIN_NAME}")
    with pytest.raises(AssertionError):  # the file alone does not say it: the name has to
        assert_equal_features(f"open_clip:{OPEN_CLIP_PLAIN_NAME}@{checkpoint}", clip_folder, -2)


def publish_in_open_clip(monkeypatch, name: str, **weights: dict) -> None:
    """Give open_clip's table of published weights an entry for `name`, {tag: description}."""
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, name, weights)


def test_random_weights_are_announced(library, caplog):
    tower = load_vision_tower(f"{library}:{BACKBONES[library][0]}@random", dtype=torch.bfloat16)
    features = tower(torch.zeros(2, 3, IMAGE, IMAGE))
    assert features.shape == (2, tower.num_patches, tower.hidden_size) == (2, 16, WIDTH)
    assert features.dtype == torch.bfloat16
    assert "untrained random weights" in caplog.text


def test_layers_after_the_feature_layer_are_gone(library, checkpoint):
    source = f"{library}:{BACKBONES[library][0]}@{checkpoint}"
    keys = load_vision_tower(source, feature_layer=2).state_dict().keys()
    assert any("blocks.1." in key for key in keys)
    assert not any(f"blocks.{layer}." in key for key in keys for layer in (2, 3))


def test_checkpoint_that_does_not_fit(library, checkpoint, clip_state):
    state = BACKBONES[library][1](clip_state)
    dropped = next(key for key in state if "blocks.3." in key and not key.startswith("transformer."))
    kept = {key: value.contiguous() for key, value in state.items() if key != dropped}
    save_file(kept | {"surprise": torch.zeros(1)}, checkpoint)
    with pytest.raises(ValueError, match=f"{checkpoint} do not fit, missing: {dropped}; unexpected: surprise"):
        load_vision_tower(f"{library}:{BACKBONES[library][0]}@{checkpoint}")


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_files_that_are_no_weights(library, tmp_path, name):
    (tmp_path / name).write_text("not a checkpoint")
    with pytest.raises(ValueError, match=f"{tmp_path / name}: expected a (torch|safetensors) file"):
        load_vision_tower(f"{library}:{BACKBONES[library][0]}@{tmp_path / name}")
    torch.save({"state_dict": [1]}, tmp_path / "list.pt")
    with pytest.raises(ValueError, match="list.pt: expected a dictionary of tensors, got list"):
        load_vision_tower(f"{library}:{BACKBONES[library][0]}@{tmp_path}/list.pt")


def test_names_and_files_that_do_not_exist(library, tmp_path):
    with pytest.raises(ValueError, match=f"{library} has no model 'nothing'"):
        load_vision_tower(f"{library}:nothing")
    with pytest.raises((ValueError, FileNotFoundError), match="checkpoint file .*nowhere.pt"):
        load_vision_tower(f"{library}:{BACKBONES[library][0]}@{tmp_path}/nowhere.pt")


def test_names_without_published_weights(library):
    with pytest.raises((ValueError, RuntimeError), match="one of its tags|No pretrained weights exist"):
        load_vision_tower(f"{library}:{BACKBONES[library][0]}")


def test_towers_of_another_kind(library):
    other = {"open_clip": "RN50", "timm": "resnet10t"}[library]
    with pytest.raises(ValueError, match="expected a .*VisionTransformer"):
        load_vision_tower(f"{library}:{other}@random")
