"""BEATs: equal to the reference's features, strict about checkpoints; and the seeded weights these tests stand on."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.encoders.beats import (
    Beats,
    BeatsConfig,
    account_for_keys,
    checkpoint_shapes,
    load_beats,
    num_tokens,
    relative_buckets,
)
from tests.seeded import make_beats_checkpoint, read_recipe, seeded_tensor

GOLDEN = Path(__file__).parent / "golden"
MANIFEST_PREFIX = "base_model.model.model.audio_encoder.audio_encoder."


@pytest.fixture(scope="module")
def checkpoint_path(tmp_path_factory):
    return make_beats_checkpoint(tmp_path_factory.mktemp("beats") / "beats.pt")


@pytest.fixture(scope="module")
def beats(checkpoint_path):
    return load_beats(checkpoint_path)


@pytest.fixture(scope="module")
def fbanks():
    return load_file(GOLDEN / "01_fbank.safetensors")


@pytest.fixture
def rewrite(checkpoint_path, tmp_path):
    """Call with an edit of the checkpoint's content; gives the path of the edited copy."""

    def write(edit):
        content = torch.load(checkpoint_path, weights_only=True)
        edit(content)
        torch.save(content, tmp_path / "edited.pt")
        return tmp_path / "edited.pt"

    return write


@pytest.mark.parametrize(("recipe_name", "num_entries"), [("beats", None), ("clip", 24)])
def test_seeded_tensors_match_recipe(recipe_name, num_entries):
    recipe = read_recipe(recipe_name)
    for entry in recipe["tensors"][:num_entries]:
        values = seeded_tensor(entry["name_hashed"], entry["shape"], entry["k"], entry["offset"], recipe["seed"])
        assert values.flatten()[:4].tolist() == entry["first4"], entry["key"]
        assert hashlib.sha256(values.numpy().tobytes()).hexdigest()[:16] == entry["sha256_16"], entry["key"]


@torch.no_grad()
def test_features_equal_golden(beats, fbanks):
    golden = load_file(GOLDEN / "02_encoders.safetensors")
    features = beats(fbanks["fbank.vB2"])
    assert features.shape == (10, 48, 768)
    torch.testing.assert_close(features[:2], golden["beats.vB2.seg0-1"], atol=1e-4, rtol=0)
    torch.testing.assert_close(features[:, ::4, ::8], golden["beats.vB2.all.stride"], atol=1e-4, rtol=0)
    torch.testing.assert_close(beats(fbanks["fbank.tC3"][:1]), golden["beats.tC3.seg0"], atol=1e-4, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.3), (torch.float16, 0.03)])
def test_half_precision_stays_close(checkpoint_path, beats, fbanks, dtype, tolerance):
    half = load_beats(checkpoint_path, dtype)
    features = half(fbanks["fbank.vB2"][:1])
    assert features.dtype == dtype
    torch.testing.assert_close(features.float(), beats(fbanks["fbank.vB2"][:1]), atol=tolerance, rtol=0)


@torch.no_grad()
def test_train_mode_draws_nothing(beats, fbanks):
    fbank = fbanks["fbank.tC3"][:1]
    expected, numpy_state = beats(fbank), np.random.get_state()[1].tolist()
    try:
        assert torch.equal(beats.train()(fbank), expected)
    finally:
        beats.eval()
    assert np.random.get_state()[1].tolist() == numpy_state


def test_loaded_encoder_is_frozen(beats):
    assert not beats.training
    assert not any(parameter.requires_grad for parameter in beats.parameters())


@pytest.mark.parametrize(("frames", "tokens"), [(98, 48), (92, 40), (16, 8), (118, 56)])
def test_num_tokens(frames, tokens):
    assert num_tokens(frames) == tokens
    with torch.device("meta"):
        assert Beats(BeatsConfig(16, encoder_layers=1))(torch.empty(2, frames, 128)).shape == (2, tokens, 768)


def test_bad_filter_banks_are_refused(beats):
    with pytest.raises(ValueError, match="at least 16 filter bank frames, got 15"):
        beats(torch.zeros(1, 15, 128))
    with pytest.raises(ValueError, match=r"expected shape \(S, L, 128\), got \(1, 98, 64\)"):
        beats(torch.zeros(1, 98, 64))


def test_relative_buckets_by_hand():
    distances = torch.tensor([0, 79, -79, 80, 253, 799, 5000, -5000])
    # 253 is half way from 80 to 800 on the logarithmic scale
    assert relative_buckets(distances, 320, 800).tolist() == [0, 239, 79, 240, 280, 319, 319, 159]


def test_full_size_keys_equal_manifest():
    manifest = json.loads((GOLDEN / "10_full_size_manifest.json").read_text())["state_dict"]
    shapes = {
        key.removeprefix(MANIFEST_PREFIX): tuple(shape)
        for key, (shape, _) in manifest.items()
        if key.startswith(MANIFEST_PREFIX)
    }
    used, ignored = account_for_keys(shapes, BeatsConfig(16))
    assert sorted(used + ignored) == sorted(shapes)
    assert ignored == ["predictor.weight", "predictor.bias"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c["model"].pop("layer_norm.bias"), "missing layer_norm.bias, unexpected none"),
        (lambda c: c["model"].update(extra=torch.zeros(1)), "missing none, unexpected extra"),
        (lambda c: c["model"].update({"layer_norm.bias": torch.zeros(3)}), r"layer_norm.bias: expected shape \(512,\)"),
        (lambda c: c["model"].update(extra="text"), "expected a dictionary of tensors, got .* under 'extra'"),
        (lambda c: c["cfg"].pop("input_patch_size"), "expected an input_patch_size, got none"),
        (lambda c: c["cfg"].update(deep_norm=False), "unsupported, expected deep_norm=True, got False$"),
        (
            lambda c: c["cfg"].pop("gru_rel_pos"),
            r"unsupported, expected gru_rel_pos=True, got False \(upstream's default",
        ),
        (lambda c: c.pop("cfg"), "expected the dictionaries 'cfg' and 'model'"),
        (
            lambda c: c["model"]["encoder.layers.1.self_attn.relative_attention_bias.weight"].add_(1),
            "different relative position tables",
        ),
    ],
)
def test_unfit_checkpoints_are_refused(rewrite, edit, message):
    with pytest.raises(ValueError, match=message) as error:
        load_beats(rewrite(edit))
    assert "edited.pt" in str(error.value)


def test_classifier_head_is_optional(rewrite, beats):
    loaded = load_beats(rewrite(lambda content: content["model"].pop("predictor.weight")))
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), beats.parameters(), strict=True))


def test_sizes_that_a_cfg_leaves_out_are_upstreams(rewrite, beats):
    architecture = {"deep_norm": True, "relative_position_embedding": True, "gru_rel_pos": True}
    assert BeatsConfig.from_cfg({"input_patch_size": 16, **architecture}) == BeatsConfig(
        input_patch_size=16,
        embed_dim=512,
        encoder_layers=12,
        encoder_embed_dim=768,
        encoder_ffn_embed_dim=3072,
        encoder_attention_heads=12,
        conv_pos=128,
        conv_pos_groups=16,
        num_buckets=320,
        max_distance=1280,
    )
    kept = {"input_patch_size", "encoder_layers", "encoder_ffn_embed_dim", "max_distance", *architecture}
    loaded = load_beats(rewrite(lambda c: c.update(cfg={key: c["cfg"][key] for key in kept})))
    assert loaded.config == beats.config


def test_equal_widths_need_no_projection(tmp_path):
    """Upstream makes `post_extract_proj` only between different widths."""
    sizes = {"embed_dim": 32, "encoder_embed_dim": 32, "encoder_ffn_embed_dim": 16, "encoder_attention_heads": 4}
    cfg = read_recipe("beats")["cfg"] | sizes
    shapes = checkpoint_shapes(BeatsConfig.from_cfg(cfg))
    assert not any(key.startswith("post_extract_proj") for key in shapes)
    content = {"cfg": cfg, "model": {key: torch.ones(shape) for key, shape in shapes.items()}}
    torch.save(content, tmp_path / "narrow.pt")
    assert load_beats(tmp_path / "narrow.pt")(torch.randn(1, 16, 128)).shape == (1, 8, 32)
    content["model"] |= {"post_extract_proj.weight": torch.ones(32, 32), "post_extract_proj.bias": torch.ones(32)}
    torch.save(content, tmp_path / "narrow.pt")
    with pytest.raises(ValueError, match="unexpected post_extract_proj.weight, post_extract_proj.bias"):
        load_beats(tmp_path / "narrow.pt")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("not a checkpoint")
    with pytest.raises(ValueError, match="notes.txt: expected a torch file of tensors, got something else"):
        load_beats(tmp_path / "notes.txt")
    with pytest.raises(FileNotFoundError, match="absent.pt: no such file"):
        load_beats(tmp_path / "absent.pt")
