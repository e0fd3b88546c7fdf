"""The CLIP tower: the reference's hidden states, folders in every key style, errors that name what is wrong."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModel

from models.encoders.tower import resolve_feature_layer
from models.encoders.vision import build_clip_tower, load_vision_tower
from tests.seeded import make_clip_weights

GOLDEN_DIR = Path(__file__).parent / "golden"
MANIFEST_PREFIX = "base_model.model.model.visual_encoder.vision_tower.vision_model."
# 4 layers, 16 patches: for what does not need the golden weights.
TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "image_size": 16,
    "patch_size": 4,
    "projection_dim": 8,
    "hidden_act": "quick_gelu",
}


@pytest.fixture(scope="module")
def golden_folder(tmp_path_factory) -> Path:
    """The golden CLIP folder with its seeded weights."""
    folder = tmp_path_factory.mktemp("clip") / "clip-vit-large-patch14"
    shutil.copytree(GOLDEN_DIR / "weights" / "pretrained_weights" / folder.name, folder)
    make_clip_weights(folder / "model.safetensors")
    return folder


@pytest.fixture
def tiny_folder(tmp_path) -> Path:
    """A tiny CLIP vision folder, random weights, one safetensors file with bare names."""
    torch.manual_seed(0)
    CLIPVisionModel(CLIPVisionConfig(**TINY)).save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def golden_pixels(name: str) -> torch.Tensor:
    """(1, 3, 224, 224) normalised pixels of item 01."""
    return torch.from_numpy(np.load(GOLDEN_DIR / "01_pixels.npz")[name])


@pytest.mark.parametrize(
    ("feature_layer", "pixels", "expected_name", "token_stride"),
    [
        (14, "frame", "clip.frame.hidden14.tokstride16", 16),
        (22, "frame", "clip.frame.hidden22.tokstride16", 16),
        (23, "frame", "clip.frame.hidden23.tokstride4", 4),
        (None, "cand1.masked_image", "clip.cand1_masked_image.hidden23.tokstride4", 4),
    ],
)
def test_features_equal_the_reference(golden_folder, feature_layer, pixels, expected_name, token_stride):
    tower = load_vision_tower(str(golden_folder), feature_layer)
    features = tower(golden_pixels(pixels))
    assert features.shape == (1, tower.num_patches, tower.hidden_size) == (1, 256, 1024)
    assert len(tower.tower.encoder.layers) == (feature_layer or 23)
    expected = load_file(GOLDEN_DIR / "02_encoders.safetensors")[expected_name]
    torch.testing.assert_close(features[0, ::token_stride], expected, atol=2e-4, rtol=0)


def test_full_size_keys_equal_the_manifest():
    manifest = json.loads((GOLDEN_DIR / "10_full_size_manifest.json").read_text())["state_dict"]
    expected = {
        key.replace(MANIFEST_PREFIX, "tower."): shape
        for key, (shape, _) in manifest.items()
        if key.startswith(MANIFEST_PREFIX)
    }
    full_size = CLIPVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14
    )
    with torch.device("meta"):
        tower = build_clip_tower(full_size, feature_layer=-1)
        cut = build_clip_tower(full_size)
    assert {key: list(value.shape) for key, value in tower.state_dict().items()} == expected
    assert cut.state_dict().keys() == {key for key in expected if "layers.23." not in key}


@pytest.mark.parametrize("style", ["bare", "prefixed", "whole_model", "bin", "shards"])
def test_every_key_style_and_file_gives_the_same_features(tiny_folder, tmp_path, style):
    expected_tower = load_vision_tower(str(tiny_folder))
    pixels = torch.randn(2, 3, 16, 16)
    folder = tmp_path / style
    rewrite_folder(tiny_folder, folder, style)
    torch.testing.assert_close(load_vision_tower(str(folder))(pixels), expected_tower(pixels), atol=0, rtol=0)


def rewrite_folder(source: Path, target: Path, style: str) -> None:
    """Write the tiny tower as another program would have."""
    state = load_file(source / "model.safetensors")
    if style == "whole_model":
        whole = CLIPModel(CLIPConfig(vision_config=TINY, text_config={"num_hidden_layers": 1, "hidden_size": 64}))
        whole.vision_model.load_state_dict(state)
        whole.save_pretrained(target)
        return
    target.mkdir()
    shutil.copy(source / "config.json", target)
    if style == "bare":
        save_file(state, target / "model.safetensors")
    elif style == "prefixed":
        old_buffer = {"vision_model.embeddings.position_ids": torch.arange(17)[None]}
        save_file({f"vision_model.{key}": state[key] for key in state} | old_buffer, target / "model.safetensors")
    elif style == "bin":
        torch.save(state, target / "pytorch_model.bin")
    elif style == "shards":
        shard_of = {key: f"model-{number % 2}.safetensors" for number, key in enumerate(sorted(state))}
        for shard in set(shard_of.values()):
            save_file({key: state[key] for key in state if shard_of[key] == shard}, target / shard)
        (target / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shard_of}))


def test_layer_counts_like_hidden_states(tiny_folder):
    model = CLIPVisionModel.from_pretrained(tiny_folder).eval()
    pixels = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        hidden_states = model(pixels, output_hidden_states=True).hidden_states
    for feature_layer in (1, 2, 3, 4, -1, -2, -4):
        features = load_vision_tower(str(tiny_folder), feature_layer)(pixels)
        torch.testing.assert_close(features, hidden_states[feature_layer][:, 1:], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("feature_layer", "num_layers", "depth"),
    [(None, 24, 23), (None, 32, 23), (None, 23, 23), (None, 22, 21), (None, 4, 3), (-2, 32, 31), (14, 24, 14)],
)
def test_published_layer_unless_another_is_named(feature_layer, num_layers, depth):
    assert resolve_feature_layer(feature_layer, num_layers) == depth


@pytest.mark.parametrize("feature_layer", [0, 5, -5])
def test_layer_that_does_not_exist(tiny_folder, feature_layer):
    with pytest.raises(ValueError, match=f"feature layer {feature_layer}: a tower of 4 layers"):
        load_vision_tower(str(tiny_folder), feature_layer)


def test_tower_stays_frozen_and_in_evaluation_mode(tiny_folder):
    tower = load_vision_tower(str(tiny_folder), dtype=torch.bfloat16)
    torch.nn.Sequential(tower).train()
    assert not any(module.training for module in tower.modules())
    assert not any(parameter.requires_grad for parameter in tower.parameters())
    assert {parameter.dtype for parameter in tower.parameters()} == {torch.bfloat16}
    features = tower(torch.randn(1, 3, 16, 16, requires_grad=True))
    assert features.dtype == torch.bfloat16
    assert not features.requires_grad


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("encoder.layers.3.mlp.fc1.bias"), "missing: encoder.layers.3.mlp.fc1.bias"),
        (lambda state: state.update(surprise=torch.zeros(1)), "unexpected: surprise"),
        (
            lambda state: state.update({"pre_layrnorm.bias": torch.zeros(7)}),
            r"pre_layrnorm.bias: expected shape \(\d+,\), as config.json says, got \(7,\)",
        ),
    ],
)
def test_weights_that_do_not_fit(tiny_folder, change, message):
    weights_path = tiny_folder / "model.safetensors"
    state = load_file(weights_path)
    change(state)
    save_file(state, weights_path)
    with pytest.raises(ValueError, match=message) as raised:
        load_vision_tower(str(tiny_folder))
    assert str(tiny_folder) in str(raised.value)


class Harmful:
    """Pickled, it runs code in whoever unpickles it carelessly."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def write_truncated(path: Path) -> None:
    save_file({"pre_layrnorm.bias": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        (
            "pytorch_model.bin",
            lambda path: torch.save({"x": Harmful()}, path),
            "a torch file of tensors, got something",
        ),
        ("pytorch_model.bin", lambda path: torch.save([1], path), "a dictionary of tensors, got list"),
        (
            "pytorch_model.bin",
            lambda path: torch.save({"x": 1}, path),
            "a dictionary of tensors, got .* under 'x'",
        ),
        ("model.safetensors", write_truncated, "a safetensors file, got something else .*not fully covered"),
        ("model.safetensors", lambda path: path.write_text("version https://git-lfs"), "a safetensors file, got"),
    ],
)
def test_files_that_are_no_weights(tiny_folder, name, write, message):
    (tiny_folder / "model.safetensors").unlink()
    write(tiny_folder / name)
    with pytest.raises(ValueError, match=f"{tiny_folder / name}: expected {message}"):
        load_vision_tower(str(tiny_folder))


def test_missing_shard(tiny_folder):
    (tiny_folder / "model.safetensors").unlink()
    (tiny_folder / "model.safetensors.index.json").write_text('{"weight_map": {"x": "model-1.safetensors"}}')
    with pytest.raises(FileNotFoundError, match="model-1.safetensors: no such file"):
        load_vision_tower(str(tiny_folder))


def test_missing_folder_weights_and_wrong_model(tiny_folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="no CLIP folder with a config.json at .*nowhere"):
        load_vision_tower(str(tmp_path / "nowhere"))
    (tiny_folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=f"{tiny_folder}: expected weights in one of model.safetensors"):
        load_vision_tower(str(tiny_folder))
    (tiny_folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match="holds a 'bert' model"):
        load_vision_tower(str(tiny_folder))


def test_pixels_of_another_size(tiny_folder):
    with pytest.raises(ValueError, match=r"expected pixel_values \(N, 3, 16, 16\), got \(1, 3, 24, 16\)"):
        load_vision_tower(str(tiny_folder))(torch.zeros(1, 3, 24, 16))


@pytest.mark.parametrize("library", ["open_clip", "timm"])
def test_missing_library_names_the_requirements(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"{library} cannot be imported .*scripts/requirements-vision.txt"):
        load_vision_tower(f"{library}:any")


def test_optional_libraries_are_not_imported():
    code = "import sys, models.encoders.vision; assert not {'torchvision', 'timm', 'open_clip'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
