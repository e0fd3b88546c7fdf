"""BEATs audio encoder (Chen et al., arXiv 2212.09058): filter bank in, frame-patch features out.

Knows the architecture of the iter3+ checkpoints and the file format they come in. Making filter banks is
dataset/media/audio.py's job. The encoder is only ever used frozen, so dropout and layer drop do not exist here.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from models.weights.unused_keys import UNUSED_BEATS_KEYS
from models.weights.weight_files import (
    expect_numbers,
    expect_tensors,
    read_safetensors_file,
    read_safetensors_metadata,
    read_torch_file,
)
from utils.settings_files import check_settings, few, whole
from utils.text_files import parsed_json
from utils.whole_files import whole_file

MEL_BINS = 128
PATCH_SIZE = 16
# The cfg keys that choose an architecture, as upstream's BEATsConfig has them when a cfg does not say.
UPSTREAM_ARCHITECTURE = {
    "conv_bias": False,
    "activation_fn": "gelu",
    "layer_norm_first": False,
    "deep_norm": False,
    "relative_position_embedding": False,
    "gru_rel_pos": False,
}
# The one architecture written below, that of iter3+; others would need other code.
SUPPORTED_ARCHITECTURE = UPSTREAM_ARCHITECTURE | dict.fromkeys(
    ("deep_norm", "relative_position_embedding", "gru_rel_pos"), True
)
_POS_CONV = "encoder.pos_conv.0.weight"


@dataclass(frozen=True)
class BeatsConfig:
    """Sizes of a BEATs encoder, named as in the checkpoint's `cfg`; the defaults are upstream's (BEATsConfig)."""

    input_patch_size: int
    embed_dim: int = 512
    encoder_layers: int = 12
    encoder_embed_dim: int = 768
    encoder_ffn_embed_dim: int = 3072
    encoder_attention_heads: int = 12
    conv_pos: int = 128
    conv_pos_groups: int = 16
    num_buckets: int = 320
    max_distance: int = 1280

    @classmethod
    def from_cfg(cls, cfg: Mapping) -> "BeatsConfig":
        """Read a checkpoint's `cfg`; extra keys are fine. ValueError for another architecture or odd sizes."""
        if "input_patch_size" not in cfg:
            raise ValueError("BEATs cfg: expected an input_patch_size, got none")
        for name, expected in SUPPORTED_ARCHITECTURE.items():
            value, origin = (cfg[name], "") if name in cfg else (UPSTREAM_ARCHITECTURE[name], " (upstream's default)")
            if value != expected:
                raise ValueError(f"BEATs cfg: unsupported, expected {name}={expected!r}, got {value!r}{origin}")
        sizes = {field.name: whole(1, 1000 if field.name == "encoder_layers" else 10**6) for field in fields(cls)}
        check_settings(cfg, {f"{name}?": kind for name, kind in sizes.items()}, "BEATs cfg")
        config = cls(**{name: cfg[name] for name in sizes if name in cfg})
        for name in ("encoder_attention_heads", "conv_pos_groups"):
            if config.encoder_embed_dim % getattr(config, name):
                expected = f"expected a divisor of encoder_embed_dim, {config.encoder_embed_dim}"
                raise ValueError(f"BEATs cfg: {name}: {expected}, got {getattr(config, name)}")
        if config.max_distance <= config.num_buckets // 4:
            least = config.num_buckets // 4 + 1
            raise ValueError(f"BEATs cfg: max_distance: expected at least {least}, got {config.max_distance}")
        return config


def num_tokens(num_frames: int, patch_size: int = PATCH_SIZE) -> int:
    """Tokens for a filter bank of `num_frames` frames (98 -> 48, 92 -> 40). ValueError below one patch."""
    if num_frames < patch_size:
        raise ValueError(f"BEATs needs at least {patch_size} filter bank frames, got {num_frames}")
    return (num_frames // patch_size) * (MEL_BINS // patch_size)


class Beats(nn.Module):
    """The encoder. Parameter names are the official checkpoint's, but for the folded positional weight norm.

    S segments, L filter bank frames (10 ms), N = num_tokens(L) tokens, W width (768), H heads.
    """

    def __init__(self, config: BeatsConfig):
        super().__init__()
        self.config = config
        self.hidden_size = config.encoder_embed_dim
        patch = config.input_patch_size
        self.patch_embedding = nn.Conv2d(1, config.embed_dim, patch, stride=patch, bias=False)
        self.layer_norm = nn.LayerNorm(config.embed_dim)
        sizes = config.embed_dim, config.encoder_embed_dim
        # of equal sizes upstream has no such layer, hence no such keys
        self.post_extract_proj = nn.Linear(*sizes) if sizes[0] != sizes[1] else nn.Identity()
        self.encoder = BeatsEncoder(config)

    def forward(self, fbank: Tensor) -> Tensor:
        """(S, L, 128) normalised filter bank -> (S, N, W) in the module's dtype; tokens run time-major.

        Raises ValueError for another shape and for L below one patch.
        """
        if fbank.ndim != 3 or fbank.shape[-1] != MEL_BINS:
            raise ValueError(f"filter bank: expected shape (S, L, {MEL_BINS}), got {tuple(fbank.shape)}")
        num_tokens(fbank.shape[1], self.config.input_patch_size)
        patches = self.patch_embedding(fbank.to(self.patch_embedding.weight.dtype).unsqueeze(1))
        x = self.layer_norm(patches.flatten(2).transpose(1, 2))
        return self.encoder(self.post_extract_proj(x))


class BeatsEncoder(nn.Module):
    """Convolutional positions, then post-norm Transformer layers that share one table of relative positions."""

    def __init__(self, config: BeatsConfig):
        super().__init__()
        width, kernel = config.encoder_embed_dim, config.conv_pos
        self.max_distance = config.max_distance
        conv = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=config.conv_pos_groups)
        self.pos_conv = nn.Sequential(conv, nn.GELU())
        self.layer_norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(BeatsLayer(config) for _ in range(config.encoder_layers))
        self.relative_attention_bias = nn.Embedding(config.num_buckets, config.encoder_attention_heads)

    def forward(self, x: Tensor) -> Tensor:
        """(S, N, W) -> (S, N, W)."""
        num = x.shape[1]
        positions = self.pos_conv(x.transpose(1, 2))[..., :num]  # an even kernel gives one step too many
        x = self.layer_norm(x + positions.transpose(1, 2))
        position_bias = self.position_bias(num)
        for layer in self.layers:
            x = layer(x, position_bias)
        return x

    def position_bias(self, num: int) -> Tensor:
        """(1, H, num, num): for each head what a key's distance from the query adds to its score."""
        table = self.relative_attention_bias
        steps = torch.arange(num, device=table.weight.device)
        buckets = relative_buckets(steps[None, :] - steps[:, None], table.num_embeddings, self.max_distance)
        return table(buckets).permute(2, 0, 1).unsqueeze(0)


def relative_buckets(distance: Tensor, num_buckets: int, max_distance: int) -> Tensor:
    """Integer key - query distances -> bucket ids, as in T5: half per sign, near ones exact, far ones by logarithm."""
    per_sign = num_buckets // 2
    exact = per_sign // 2
    size = distance.abs()
    log_ratio = torch.log(size.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    far = (exact + (log_ratio * (per_sign - exact)).long()).clamp(max=per_sign - 1)
    return torch.where(size < exact, size, far) + per_sign * (distance > 0)


class BeatsLayer(nn.Module):
    """Post-norm Transformer layer whose residual is scaled as in DeepNet: alpha = (2 * layers) ** 0.25."""

    def __init__(self, config: BeatsConfig):
        super().__init__()
        width, hidden = config.encoder_embed_dim, config.encoder_ffn_embed_dim
        self.alpha = (2 * config.encoder_layers) ** 0.25
        self.self_attn = GatedRelativeAttention(width, config.encoder_attention_heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, position_bias: Tensor) -> Tensor:
        """(S, N, W), (1, H, N, N) -> (S, N, W)."""
        x = self.self_attn_layer_norm(self.alpha * x + self.self_attn(x, position_bias))
        return self.final_layer_norm(self.alpha * x + self.fc2(F.gelu(self.fc1(x))))


class GatedRelativeAttention(nn.Module):
    """Self-attention whose relative position bias each query scales by its own gate (WavLM, arXiv 2110.13900)."""

    def __init__(self, width: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.grep_linear = nn.Linear(width // num_heads, 8)
        self.grep_a = nn.Parameter(torch.ones(1, num_heads, 1, 1))

    def forward(self, x: Tensor, position_bias: Tensor) -> Tensor:
        """(S, N, W), (1, H, N, N) -> (S, N, W).

        The published code divides the scores by 32 and multiplies them back after subtracting their maximum. That
        only keeps fp16 from overflowing and leaves the softmax as it is; fused attention is safe there without it.
        """
        query, key, value = (self._split_heads(proj(x)) for proj in (self.q_proj, self.k_proj, self.v_proj))
        bias = (self._gate(query) * position_bias).to(query.dtype)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def _gate(self, query: Tensor) -> Tensor:
        """(S, H, N, W / H) -> (S, H, N, 1): factor on the bias, from an update and a reset gate as in a GRU."""
        update, reset = self.grep_linear(query).unflatten(-1, (2, 4)).sum(-1).sigmoid().chunk(2, dim=-1)
        return 2 - update + update * reset * self.grep_a


def load_beats(path: str | Path, dtype: torch.dtype = torch.float32) -> Beats:
    """Frozen encoder in eval mode from an official checkpoint file `{'cfg': ..., 'model': ...}`.

    Raises ValueError naming the file: not such a checkpoint, missing or unexpected keys, wrong shapes, another
    architecture, or layers that disagree on the shared position table. A missing file is a FileNotFoundError.
    """
    cfg, weights = _read_checkpoint(path)
    try:
        config = BeatsConfig.from_cfg(cfg)
        expect_numbers(weights, "BEATs weights")
        used, _ = account_for_keys({key: tuple(weight.shape) for key, weight in weights.items()}, config)
        state = _to_module_state({key: weights[key] for key in used}, config.encoder_layers)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    with torch.device("meta"):
        model = Beats(config)
    model.load_state_dict(state, assign=True)
    return model.to(dtype).eval().requires_grad_(False)


def write_beats(model: Beats, path: str | Path) -> None:
    """An encoder as a safetensors file: the official key names, and the `cfg` as JSON in the file's metadata."""
    weights = {key: weight.detach().contiguous() for key, weight in model.state_dict().items()}
    kernel = weights.pop(_POS_CONV)
    weights[f"{_POS_CONV}_v"], weights[f"{_POS_CONV}_g"] = kernel, kernel.float().norm(dim=(0, 1), keepdim=True)
    table = weights.pop("encoder.relative_attention_bias.weight")
    weights |= {key: table.clone() for key in _table_keys(model.config.encoder_layers)}
    cfg = asdict(model.config) | SUPPORTED_ARCHITECTURE
    with whole_file(path) as temporary:
        save_file(weights, temporary, metadata={"format": "pt", "cfg": json.dumps(cfg)})


def account_for_keys(shapes: Mapping[str, tuple], config: BeatsConfig) -> tuple[list[str], list[str]]:
    """Sort a checkpoint's {key: shape} into (used, ignored) keys. ValueError naming whatever does not fit."""
    expected = checkpoint_shapes(config)
    ignored = [key for key in shapes if UNUSED_BEATS_KEYS.search(key)]
    missing = [key for key in expected if key not in shapes]
    unexpected = [key for key in shapes if key not in expected and key not in ignored]
    if missing or unexpected:
        raise ValueError(
            f"BEATs weights do not fit: missing {few(missing) or 'none'}, unexpected {few(unexpected) or 'none'}"
        )
    for key, shape in expected.items():
        if tuple(shapes[key]) != shape:
            raise ValueError(f"BEATs weight {key}: expected shape {shape}, got {tuple(shapes[key])}")
    return list(expected), ignored


def checkpoint_shapes(config: BeatsConfig) -> dict[str, tuple]:
    """{key: shape} of every tensor that a checkpoint of this size must hold, named as in the file."""
    with torch.device("meta"):
        shapes = {key: tuple(weight.shape) for key, weight in Beats(config).state_dict().items()}
    shapes[f"{_POS_CONV}_v"] = shapes.pop(_POS_CONV)
    shapes[f"{_POS_CONV}_g"] = (1, 1, config.conv_pos)
    table = shapes.pop("encoder.relative_attention_bias.weight")
    return shapes | dict.fromkeys(_table_keys(config.encoder_layers), table)


def _table_keys(num_layers: int) -> list[str]:
    """The shared position table under the name of each layer, which is how the file repeats it."""
    return [f"encoder.layers.{index}.self_attn.relative_attention_bias.weight" for index in range(num_layers)]


def _read_checkpoint(path: str | Path) -> tuple[Mapping, Mapping[str, Tensor]]:
    if Path(path).suffix == ".safetensors":
        weights, metadata = read_safetensors_file(path), read_safetensors_metadata(path)
        content = {"cfg": parsed_json(metadata.get("cfg", "null"), f"{path}: cfg"), "model": weights}
    else:
        content = read_torch_file(path)
    cfg, weights = (content.get(name) if isinstance(content, Mapping) else None for name in ("cfg", "model"))
    if not (isinstance(cfg, Mapping) and isinstance(weights, Mapping)):
        raise ValueError(f"{path}: not a BEATs checkpoint, expected the dictionaries 'cfg' and 'model' in it")
    return cfg, expect_tensors(weights, path)


def _to_module_state(weights: dict[str, Tensor], num_layers: int) -> dict[str, Tensor]:
    """Checkpoint tensors -> module state: weight norm folded, the repeated position table kept once."""
    state = dict(weights)
    direction, length = (state.pop(f"{_POS_CONV}_{part}").float() for part in ("v", "g"))
    state[_POS_CONV] = direction * (length / direction.norm(dim=(0, 1), keepdim=True))
    first, *others = (state.pop(key) for key in _table_keys(num_layers))
    if not all(torch.equal(first, other) for other in others):
        raise ValueError("BEATs layers hold different relative position tables, expected one shared table")
    state["encoder.relative_attention_bias.weight"] = first
    return state
