"""The mini LLM while it learns: it reads bags of words or tokens of a projector where pictures are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from dataset.text.prompt import encode_text
from dataset.world import descriptions as say
from models.language.attention import BEHIND_PROMPTS, lay_out
from scripts.pretrain.mini.facts import FACTS
from scripts.pretrain.mini.guides import GUIDE_WEIGHT, guide_losses
from utils.tokens import EVERYBODY, IGNORE_INDEX, NOBODY, PLACEHOLDERS

SIZES = {"hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 6}
HEADS = 4
EMBEDDING_STD = 0.3
NOISE = 0.12  # standard deviation of the noise that is added to the embedding of a bag
KNOWN_AFTER, MEANT_AFTER = 3, 4  # layers after which facts at slots are known, and those about what is meant
KNOWN_WEIGHT, MEANT_WEIGHT = 8.0, 2.0  # in the loss


class Pupil(nn.Module):
    """The LLM, and linear heads that read facts from its layers. The heads are not saved after training."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        super().__init__()
        config = LlamaConfig(
            vocab_size=min(tokenizer.convert_tokens_to_ids(list(PLACEHOLDERS))),
            **SIZES,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            max_position_embeddings=2048,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            initializer_range=0.05,
        )
        self.llama = LlamaForCausalLM(config)
        self.llama.set_attn_implementation(BEHIND_PROMPTS)
        self._order_embeddings(tokenizer)
        classes = sum(len(values) for values in FACTS.values())
        self.known, self.meant = (
            nn.Sequential(nn.LayerNorm(SIZES["hidden_size"]), nn.Linear(SIZES["hidden_size"], classes))
            for _ in range(2)
        )

    @torch.no_grad()
    def _order_embeddings(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Initialise the words of each ordered list along a line: neighbours have similar embeddings."""
        table = self.llama.model.embed_tokens.weight
        nn.init.normal_(table, std=EMBEDDING_STD)
        for words in say.ORDERED:
            middle, direction = EMBEDDING_STD * torch.randn(2, table.shape[1])
            for word, along in zip(words, torch.linspace(-1.5, 1.5, len(words)), strict=True):
                (id_,) = encode_text(tokenizer, word)
                table[id_] = middle + along * direction + 0.1 * torch.randn(table.shape[1])

    def hidden(self, batch: dict) -> tuple[Tensor, ...]:
        """(B, L, D) each: the inputs of the layers, and last what the last layer gives, normalised."""
        table = self.llama.model.embed_tokens
        embeds = table(batch["ids"])
        meanings = (table(batch["words"]) * batch["shares"][..., None]).sum(1)
        meanings = meanings + NOISE * torch.randn_like(meanings)
        flat = embeds.flatten(0, 1).index_copy(0, batch["slots"], meanings)
        if len(batch["seen"]):
            flat = flat.index_copy(0, batch["seen_slots"], batch["seen"])
        owner = batch["owner"]
        layout = lay_out(owner) if (owner == EVERYBODY).any() else None
        return self.llama.model(
            inputs_embeds=flat.view_as(embeds),
            attention_mask=owner != NOBODY,
            position_ids=batch["position"],
            use_cache=False,
            layout=layout,
            output_hidden_states=True,
        ).hidden_states

    def losses(self, batch: dict) -> dict[str, Tensor]:
        """The loss; its parts; the shares of right facts, and of right first words by kind of expression or task."""
        hidden = self.hidden(batch)
        spoken, told = self._answers(hidden[-1], batch)
        known = _read(self.known, hidden[KNOWN_AFTER], *batch["known"])
        meant = _read(self.meant, hidden[MEANT_AFTER], *batch["meant"])
        guides = guide_losses(self.llama, hidden, batch)
        loss = spoken + KNOWN_WEIGHT * known.pop("loss") + MEANT_WEIGHT * meant.pop("loss")
        told |= {f"knows {name}": value for name, value in known.items()}
        told |= {f"means {name}": value for name, value in meant.items()}
        return {"loss": loss + GUIDE_WEIGHT * sum(guides.values()), **told, **guides}

    def _answers(self, hidden: Tensor, batch: dict) -> tuple[Tensor, dict[str, Tensor]]:
        hidden, labels, weights = hidden[:, :-1], batch["label"][:, 1:], batch["weight"][:, 1:]
        learned = labels != IGNORE_INDEX
        scores = self.llama.lm_head(hidden[learned])
        loss = F.cross_entropy(scores, labels[learned], reduction="none")
        hits = torch.zeros(labels.shape).masked_scatter(learned, (scores.argmax(-1) == labels[learned]).float())
        told = {"words": hits[learned].mean()}
        for name in dict.fromkeys(name for _, _, name in batch["decides"]):
            told[name] = torch.stack([hits[i, at - 1] for i, at, own in batch["decides"] if own == name]).mean()
        return (loss * weights[learned]).sum() / weights[learned].sum(), told


def _read(head: nn.Module, hidden: Tensor, places: Tensor, classes: Tensor) -> dict[str, Tensor]:
    """The mean loss of all facts at these places, and the share that is right, by fact."""
    if not len(places):
        return {"loss": hidden.new_zeros(())}
    scores = head(hidden.flatten(0, 1).index_select(0, places))  # (k, all values of all facts)
    losses, told = [], {}
    sizes = [len(values) for values in FACTS.values()]
    for name, own, truth in zip(FACTS, scores.split(sizes, 1), classes.T, strict=True):
        if (truth != IGNORE_INDEX).any():
            losses.append(F.cross_entropy(own, truth, ignore_index=IGNORE_INDEX))
            told[name] = (own.argmax(1) == truth)[truth != IGNORE_INDEX].float().mean()
    return {"loss": torch.stack(losses).mean(), **told}
