"""The tokenizer in a Qwen2.5-VL folder, with every added token at the id that the folder gives it.

Rex-Omni's tokens <0> to <999> have the ids of the last thousand words of the vocabulary, which they replace.
transformers 5 appends the tokens instead. That would move the chat tokens to ids that the model does not have.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from models.language.tokenizer_files import read_tokenizer
from utils.settings_files import read_object


def load_chat_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The folder's tokenizer with its chat template.

    Raises ValueError when its files are missing or damaged, or when an added token cannot have its id.
    """
    tokenizer = read_tokenizer(folder)
    ids = read_added_ids(Path(folder))
    if misplaced_tokens(tokenizer, ids):
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=take_over_ids(tokenizer.backend_tokenizer, ids),
            chat_template=tokenizer.chat_template,
            eos_token=tokenizer.eos_token,
            pad_token=tokenizer.pad_token,
        )
    if misplaced := misplaced_tokens(tokenizer, ids):
        raise ValueError(
            f"{folder}: expected {misplaced[0]} at id {ids[misplaced[0]]} as its tokenizer files say, "
            f"got it at {tokenizer.convert_tokens_to_ids(misplaced[0])}"
        )
    return tokenizer


def read_added_ids(folder: Path) -> dict[str, int]:
    """Added token -> id, from tokenizer.json and tokenizer_config.json; where they differ, the latter counts."""
    contents = [_read_if_there(folder / name) for name in ("tokenizer.json", "tokenizer_config.json")]
    listed, decoder = contents[0].get("added_tokens") or [], contents[1].get("added_tokens_decoder") or {}
    try:
        ids = {token["content"]: token["id"] for token in listed}
        return ids | {token["content"]: int(token_id) for token_id, token in decoder.items()}
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder}: expected added tokens with their content and id, got one without") from error


def _read_if_there(path: Path) -> dict:
    return read_object(path) if path.is_file() else {}


def misplaced_tokens(tokenizer: PreTrainedTokenizerBase, ids: dict[str, int]) -> list[str]:
    """The tokens of `ids` to which the tokenizer gives another id."""
    return [token for token, token_id in ids.items() if tokenizer.convert_tokens_to_ids(token) != token_id]


def take_over_ids(backend: Tokenizer, ids: dict[str, int]) -> Tokenizer:
    """A copy with the added tokens at `ids`. A word whose id is taken by one of them is removed from the vocabulary.

    The merges that make such a word are removed, too. A text with the word is then split into shorter words.
    """
    state = json.loads(backend.to_str())
    model, taken = state["model"], set(ids.values())
    vocabulary = {word: word_id for word, word_id in model["vocab"].items() if word_id not in taken}
    last_id = max(model["vocab"].values())
    model["vocab"] = vocabulary | {token: token_id for token, token_id in ids.items() if token_id <= last_id}
    if "merges" in model:
        model["merges"] = [pair for pair in model["merges"] if {*pair, "".join(pair)} <= vocabulary.keys()]
    added = [token | {"id": ids.get(token["content"], token["id"])} for token in state["added_tokens"]]
    state["added_tokens"] = sorted(added, key=lambda token: token["id"])
    return Tokenizer.from_str(json.dumps(state))
