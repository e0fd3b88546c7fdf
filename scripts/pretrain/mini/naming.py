"""Words that the mini segmenter knows: colours, textures and seen categories. Others say nothing.

So "the leftmost red star" and "the red star" mean the same, and what is named by none of them is every thing.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from dataset.world.looks import COLOURS, TEXTURES
from dataset.world.silhouettes import SEEN
from models.segmenting.pictures import CLIP_MEAN, CLIP_STD
from models.weights.base_folders import save_tokenizer
from utils.whole_files import write_json

PAD, BOS, UNKNOWN, EOS = SPECIAL = ("<pad>", "<s>", "<unk>", "</s>")
ATTRIBUTES = (*COLOURS, *TEXTURES, *SEEN)
WORDS = (*SPECIAL, *ATTRIBUTES)
LONGEST = 64  # tokens


def make_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Whole words, any case, without punctuation; written to `folder` with the pictures' normalisation."""
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("removed")]
    )
    ends = [(BOS, vocabulary[BOS]), (EOS, vocabulary[EOS])]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A {EOS}", special_tokens=ends)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, unk_token=UNKNOWN, pad_token=PAD
    )
    save_tokenizer(wrapped, folder)
    write_json(folder / "preprocessor_config.json", {"image_mean": CLIP_MEAN, "image_std": CLIP_STD})
    return wrapped
