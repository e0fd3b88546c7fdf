"""Rows laid out in parts give what one dense mask gives."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from models.language.attention import BEHIND_PROMPTS, attention_masks, enable_layouts, lay_out, visible
from utils.tokens import EVERYBODY, NOBODY

# a prompt of 5 with masks of 3, 4 and 2, padded on the left; one of 7 with masks of 6 and 1, padded on the right
ROWS = [
    [NOBODY] * 2 + [EVERYBODY] * 5 + [1] * 3 + [3] * 4 + [4] * 2,
    [EVERYBODY] * 7 + [2] * 6 + [5] + [NOBODY] * 2,
]


def positions(row: list[int]) -> list[int]:
    shared = row.count(EVERYBODY)
    return [
        0 if own == NOBODY else row[:at].count(own) + (shared if own != EVERYBODY else 0) for at, own in enumerate(row)
    ]


def make_llm(heads_of_keys: int = 2) -> LlamaForCausalLM:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
    llm = LlamaForCausalLM(LlamaConfig(vocab_size=50, num_key_value_heads=heads_of_keys, **sizes)).eval()
    llm.set_attn_implementation(BEHIND_PROMPTS)
    return llm


def test_the_same_hidden_states_and_gradients_as_with_a_dense_mask():
    llm, owner = make_llm(), torch.tensor(ROWS)
    position = torch.tensor([positions(row) for row in ROWS])
    real, results = owner != NOBODY, []
    dense = visible(owner, position, owner, position, torch.float32)
    for how in ({"attention_mask": dense}, {"attention_mask": real, "layout": lay_out(owner)}):
        torch.manual_seed(1)
        embeds = torch.randn(*owner.shape, 32, requires_grad=True)
        hidden = llm.model(inputs_embeds=embeds, position_ids=position, use_cache=False, **how).last_hidden_state
        (hidden[real] ** 2 * torch.arange(32)).sum().backward()
        results.append((hidden[real], embeds.grad[real]))
        assert embeds.grad[~real].abs().max() == 0  # nobody sees padding
    for with_mask, with_layout in zip(*results, strict=True):
        torch.testing.assert_close(with_layout, with_mask, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("owner", [[[0, 0, 1, 3]], [[0, 1, 1, 1], [2, 2, 2, -1]]])
def test_rows_that_cannot_be_laid_out(owner):
    with pytest.raises(ValueError, match="expected at least one position of"):
        lay_out(torch.tensor(owner))


@pytest.mark.parametrize("model_type", ["llama", "stablelm", "gpt_oss", "deepseek_v2"])
def test_masks_do_not_see_each_other_whatever_the_llm(model_type):
    """One that drops the layout on its way, one whose attention is its own, one with narrower values than keys."""
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"vocab_size": 50, "num_key_value_heads": 4, "pad_token_id": None}
    if model_type == "gpt_oss":
        sizes |= {"head_dim": 8, "num_local_experts": 2, "num_experts_per_tok": 1}
    if model_type == "deepseek_v2":
        sizes |= {
            "q_lora_rank": None,
            "kv_lora_rank": 16,
            "qk_nope_head_dim": 8,
            "qk_rope_head_dim": 8,
            "v_head_dim": 6,
        }
        sizes |= {"first_k_dense_replace": 2}
    torch.manual_seed(0)
    llm = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **sizes)).eval()
    owner = torch.tensor(ROWS)
    position = torch.tensor([positions(row) for row in ROWS])
    dense = visible(owner, position, owner, position, torch.float32)
    ids = torch.arange(owner.numel()).view(owner.shape) % 50
    inputs = {"attention_mask": dense, "position_ids": position, "use_cache": False}
    real = owner != NOBODY
    expected = llm(input_ids=ids, **inputs).logits[real]
    layout = {"layout": lay_out(owner)} if enable_layouts(llm) else {}
    torch.testing.assert_close(llm(input_ids=ids, **inputs, **layout).logits[real], expected, rtol=1e-4, atol=1e-5)
    assert bool(layout) == (model_type != "gpt_oss")


def test_without_a_layout_it_is_the_library_s_own_attention():
    llm = make_llm()
    ids, mask = torch.arange(24).view(2, 12), torch.ones(2, 12, dtype=torch.long)
    mask[0, :3] = 0
    ours = llm(input_ids=ids, attention_mask=mask).logits
    llm.set_attn_implementation("sdpa")
    torch.testing.assert_close(llm(input_ids=ids, attention_mask=mask).logits, ours, rtol=0, atol=0)


def test_checkpointing_recomputes_the_same():
    llm, owner = make_llm().train(), torch.tensor(ROWS)
    position = torch.tensor([positions(row) for row in ROWS])
    gradients = []
    for checkpointing in (False, True):
        llm.gradient_checkpointing_enable() if checkpointing else llm.gradient_checkpointing_disable()
        llm.zero_grad()
        out = llm(
            input_ids=torch.full_like(owner, 3),
            attention_mask=owner != NOBODY,
            position_ids=position,
            use_cache=False,
            layout=lay_out(owner),
        )
        out.logits[owner != NOBODY].square().sum().backward()
        gradients.append(llm.model.layers[0].self_attn.q_proj.weight.grad.clone())
    torch.testing.assert_close(*gradients)


WINDOWED = {
    "gemma3_text": {"head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]},
    "gpt_oss": {"head_dim": 8, "num_local_experts": 2, "num_experts_per_tok": 1},  # every other layer
    "mistral": {},  # all layers
}


@pytest.mark.parametrize("model_type", WINDOWED)
def test_windows_hold_behind_a_shared_prompt(model_type):
    """Every mask of a row gets what it gets alone, where the library itself puts the window."""
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"vocab_size": 50, "num_key_value_heads": 2, "pad_token_id": None, "sliding_window": 4}
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **sizes | WINDOWED[model_type])
    llm = AutoModelForCausalLM.from_config(config).eval()
    assert not enable_layouts(llm)
    owner, position = torch.tensor(ROWS), torch.tensor([positions(row) for row in ROWS])
    ids = torch.arange(owner.numel()).view(owner.shape) % 50
    masks = attention_masks(llm.config, owner, position, owner, position, torch.float32)
    together = llm(input_ids=ids, attention_mask=masks, position_ids=position, use_cache=False).logits
    wide = visible(owner, position, owner, position, torch.float32)
    unlimited = llm(input_ids=ids, attention_mask=wide, position_ids=position, use_cache=False).logits
    for row, number in ((0, 3), (0, 4), (1, 2), (1, 5)):
        own = (owner[row] == EVERYBODY) | (owner[row] == number)
        alone = llm(input_ids=ids[row, own][None], use_cache=False).logits[0]
        torch.testing.assert_close(together[row, own], alone, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(unlimited[row, own], alone, rtol=1e-4, atol=1e-5)


def test_attention_without_such_a_mask_is_refused():
    config = AutoConfig.for_model("llama4_text", num_hidden_layers=4)
    owner = torch.tensor(ROWS)
    with pytest.raises(
        ValueError, match="llama4_text: expected an LLM of full or sliding attention .*chunked_attention"
    ):
        attention_masks(config, owner, owner, owner, owner, torch.float32)
