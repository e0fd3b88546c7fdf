"""Makes the mini LLM's tokenizer: byte-pair encoding like LLaMA's.

It learns from a list of common English words and from captions and expressions of the drawn world, so that each of
their words is one token. It learns from no audit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from dataset.text.lesson_wording import FRAME_QUESTION, REGION_QUESTION, STATE_QUESTION
from dataset.world import descriptions as say
from dataset.world import motions, sounds
from dataset.world.looks import COLOURS, TEXTURES
from dataset.world.phrases import NOUNS, WORDINGS
from dataset.world.silhouettes import SEEN
from models.weights.base_folders import save_tokenizer

VOCABULARY = 4_000  # at most
BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"
CHAT_TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
_CHARACTERS = [chr(code) for code in range(33, 127)]


def make_tokenizer(folder: Path) -> None:
    """Train the tokenizer and save it in transformers' format."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, byte_fallback=True, fuse_unk=True))
    # During training each word begins with a space, tokens do not cross punctuation, and each digit is one token.
    apart = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(True)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*apart, pre_tokenizers.Metaspace(prepend_scheme="always")])
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=1,
        special_tokens=[UNKNOWN, BOS, EOS, *(f"<0x{byte:02X}>" for byte in range(256))],
        initial_alphabet=[*_CHARACTERS, "\u2581"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_text(), trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = content["added_tokens"][:3]  # bytes are ordinary tokens
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, unk_token=UNKNOWN, chat_template=CHAT_TEMPLATE
    )
    save_tokenizer(wrapped, folder)


def _text() -> Iterator[str]:
    yield Path(__file__).with_name("english.txt").read_text()
    yield from (
        FRAME_QUESTION,
        REGION_QUESTION,
        STATE_QUESTION,
        say.WHOLE,
        say.TWO,
        "the larger the smaller alike",  # of sizes; the other words of say.BESIDE are common ones
    )
    yield " ".join([*COLOURS, *TEXTURES, *SEEN, *motions.KINDS, *sounds.PITCHES, *sounds.LOUDNESS, *NOUNS])
    yield " ".join([*(word for words in say.ORDERED for word in words), *say.SECONDS, *say.STATES])
    for wordings in WORDINGS.values():
        for wording in wordings:
            yield wording.format(noun="object", bare="thing", colour="red", texture="plain")
