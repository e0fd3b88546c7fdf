"""The released files: every key accounted for at full size, both ways, strictly."""

import re

import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, CLIPVisionConfig, LlamaConfig, LlamaForCausalLM

from configs.model import ModelArguments
from models.auditor.auditor import Auditor
from models.auditor.build import prepare_language_model
from models.auditor.config import AuditorConfig, qformer_settings
from models.auditor.trainable import expected_shapes, mark_trainable
from models.encoders.beats import Beats, BeatsConfig, checkpoint_shapes
from models.encoders.vision import build_clip_tower
from models.weights.published import (
    MODALITIES,
    PAIR_PREFIX,
    PRETRAIN_PREFIX,
    find_pair,
    is_unused,
    our_name,
    published_name,
    read_pair,
    read_pretrained_projector,
    write_pair,
)
from models.weights.unused_keys import UNUSED_BEATS_KEYS
from models.weights.weight_files import read_safetensors_file, read_torch_file
from tests.conftest import GOLDEN, golden_json
from utils.tokens import SPECIAL_TOKENS

CKPT = GOLDEN / "weights/ckpt"
MANIFEST = golden_json("10_full_size_manifest.json")
BERT_BASE = {
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
}


@pytest.fixture(scope="module")
def full_size() -> Auditor:
    """The full-size auditor on the meta device: shapes without memory."""
    config = AuditorConfig(
        qformer=qformer_settings(BertConfig(**BERT_BASE), 2),
        vocab_size=32028,
        hidden_size=4096,
        lora={"r": 32, "lora_alpha": 64, "lora_dropout": 0.05},
        token_ids={token: 32000 + i for i, token in enumerate(SPECIAL_TOKENS)},
    )
    clip = CLIPVisionConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096, patch_size=14
    )
    with torch.device("meta"):
        llama = LlamaForCausalLM(LlamaConfig(vocab_size=32000, hidden_size=4096, intermediate_size=11008))
        language_model = prepare_language_model(llama, config, eos_token_id=2)
        auditor = Auditor(config, language_model, build_clip_tower(clip), Beats(BeatsConfig(16)))
    mark_trainable(auditor)
    return auditor


def manifest_shapes(name: str) -> dict[str, tuple[int, ...]]:
    section = MANIFEST[name]
    return {key: tuple(shape) for key, (shape, _) in section.get("keys", section).items()}


def test_finetune_weights_at_full_size(full_size):
    ours = {n: s for n, s in expected_shapes(full_size).items() if ".lora_" in n or n.startswith(tuple(MODALITIES))}
    _account(manifest_shapes("finetune_weights.bin"), ours, PAIR_PREFIX)


def test_non_lora_trainables_at_full_size(full_size):
    ours = {name: shape for name, shape in expected_shapes(full_size).items() if ".lora_" not in name}
    _account(manifest_shapes("non_lora_trainables.bin"), ours, PAIR_PREFIX)


@pytest.mark.parametrize(
    ("file", "projector"), [("audio_pretrain.bin", "audio_projector"), ("visual_pretrain.bin", "vision_projector")]
)
def test_pretrained_projectors_at_full_size(full_size, file, projector):
    ours = {name: shape for name, shape in expected_shapes(full_size).items() if name.startswith(projector)}
    _account(manifest_shapes(file), ours, PRETRAIN_PREFIX)


def _account(published: dict, ours: dict, prefix: str) -> None:
    """Every published key is ours with the same shape, or known to be unused; every one of ours is published."""
    named = {our_name(key, prefix): shape for key, shape in published.items() if not is_unused(key)}
    assert named == ours
    assert {published_name(name, prefix) for name in ours} == {key for key in published if not is_unused(key)}


def test_whole_state_dict_at_full_size(full_size):
    """Each of the 1548 keys stands for a tensor of ours with the same shape, or is known to be unused."""
    ours = {name: tuple(tensor.shape) for name, tensor in full_size.state_dict().items()}
    beats = checkpoint_shapes(BeatsConfig(16))
    vision = PAIR_PREFIX + "visual_encoder.vision_tower.vision_model."
    audio = PAIR_PREFIX + "audio_encoder.audio_encoder."
    unused, wrong = 0, {}
    for key, shape in manifest_shapes("state_dict").items():
        if is_unused(key) or CUT_VISION_KEYS.search(key) or UNUSED_BEATS_KEYS.search(key.removeprefix(audio)):
            unused += 1
        elif key.startswith(audio):
            wrong |= {} if beats.get(key.removeprefix(audio)) == shape else {key: shape}
        else:
            name = f"vision_encoder.tower.{key.removeprefix(vision)}" if key.startswith(vision) else None
            name = name or our_name(key, PAIR_PREFIX) or "language_model." + key
            wrong |= {} if ours.get(name) == shape else {key: shape}
    assert wrong == {}
    assert unused == 2 * 22 + 18 + 2  # text halves of two Q-Formers, CLIP's last layer and norm, BEATs' classifier


# Layer 24 of CLIP and the norm after it: checked when the CLIP folder is loaded, then cut off, as nothing reads them.
CUT_VISION_KEYS = re.compile(r"vision_model\.(encoder\.layers\.23\.|post_layernorm\.)")


def test_pair_is_found_in_all_its_places(tmp_path):
    state = {"vision_projector.query_tokens": torch.zeros(1), "language_model.x.lora_A.default.weight": torch.zeros(1)}
    for step in (9, 10):
        write_pair(state, tmp_path, step)
    newest = tmp_path / "checkpoint-10/finetune_weights.bin", tmp_path / "non_lora_trainables.bin"
    assert find_pair(tmp_path) == newest
    assert find_pair(tmp_path / "checkpoint-9")[0].parent.name == "checkpoint-9"
    assert find_pair(tmp_path / "checkpoint-9")[1] == newest[1]
    assert find_pair(GOLDEN) is None
    newest[1].unlink()
    with pytest.raises(FileNotFoundError, match="non_lora_trainables.bin: no such file"):
        find_pair(tmp_path / "checkpoint-10")


def test_the_later_file_wins():
    state = read_pair(CKPT / "checkpoint-3/finetune_weights.bin", CKPT / "non_lora_trainables.bin")
    later = torch.load(CKPT / "non_lora_trainables.bin", weights_only=True)
    key = PAIR_PREFIX + "vl_projector.visual_query_tokens"
    earlier = torch.load(CKPT / "checkpoint-3/finetune_weights.bin", weights_only=True)
    assert torch.equal(state["vision_projector.query_tokens"], later[key])
    assert not torch.equal(earlier[key], later[key])


def test_unknown_keys_are_named(tmp_path):
    content = torch.load(CKPT / "non_lora_trainables.bin", weights_only=True)
    content["base_model.model.model.vl_projector.surprise"] = torch.zeros(1)
    torch.save(content, tmp_path / "non_lora_trainables.bin")
    with pytest.raises(ValueError, match="unknown keys .*non_lora_trainables.bin: .*vl_projector.surprise"):
        read_pair(CKPT / "checkpoint-3/finetune_weights.bin", tmp_path / "non_lora_trainables.bin")


def test_a_projector_under_a_wrong_prefix_is_refused(tmp_path):
    """The released code loads nothing from such a file and goes on."""
    content = torch.load(GOLDEN / "weights/pretrained_weights/audio_pretrain.bin", weights_only=True)
    torch.save({f"base_model.{key}": tensor for key, tensor in content.items()}, tmp_path / "audio_pretrain.bin")
    with pytest.raises(ValueError, match="audio_pretrain.bin: expected the keys of one audio_projector"):
        read_pretrained_projector(tmp_path / "audio_pretrain.bin", "audio_projector")
    with pytest.raises(ValueError, match="expected the keys of one vision_projector"):
        read_pretrained_projector(GOLDEN / "weights/pretrained_weights/audio_pretrain.bin", "vision_projector")


def test_files_that_are_no_weights(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"hello")
    with pytest.raises(ValueError, match="x.bin: expected a torch file of tensors"):
        read_pretrained_projector(tmp_path / "x.bin", "audio_projector")
    with pytest.raises(FileNotFoundError, match="absent.bin: no such file"):
        read_pretrained_projector(tmp_path / "absent.bin", "audio_projector")


@pytest.mark.parametrize(
    ("read", "write", "kind"),
    [(read_torch_file, torch.save, "a torch file"), (read_safetensors_file, save_file, "a safetensors file")],
)
def test_damaged_files_are_named(tmp_path, read, write, kind):
    path = tmp_path / "x"
    write({"a": torch.zeros(1000)}, path)
    assert torch.equal(read(path)["a"], torch.zeros(1000))
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:300], whole[:5], b"", b"some text, and more of it"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"^{path}: expected {kind}.*, got something else \([^\n.]+\)$"):
            read(path)
    with pytest.raises(ValueError, match=f"expected {kind}.*, got a folder"):
        read(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"^{tmp_path}/absent: no such file$"):
        read(tmp_path / "absent")


def test_code_in_a_file_is_never_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (exec, ("raise SystemExit('ran')",))

    torch.save({"model.al_projector.x": Harmful()}, tmp_path / "x.bin")
    with pytest.raises(ValueError, match="expected a torch file of tensors"):
        read_pretrained_projector(tmp_path / "x.bin", "audio_projector")


def test_lora_rank_must_be_said_right(weights_dir):
    from models.weights.checkpoint import read_auditor

    with pytest.raises(ValueError, match=r"LoRA rank: expected 32 .*, got \[4\] in the file"):
        read_auditor(CKPT, ModelArguments(pretrained_weights_dir=str(weights_dir)))
