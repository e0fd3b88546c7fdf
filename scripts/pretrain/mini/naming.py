"""Words that name things of a scene, for training the mini segmenter: categories, colours, textures; nothing else.

Words that it does not know say nothing: "the leftmost red star" and "the red star" name the same things. What is named
by nothing but "object" or "thing" is every thing. No place, size, motion or sound is ever told.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from dataset.world.looks import COLOURS, TEXTURES
from dataset.world.phrases import NOUNS
from dataset.world.scenes import Scene
from dataset.world.silhouettes import SEEN
from models.segmenting.pictures import CLIP_MEAN, CLIP_STD
from models.weights.base_folders import save_tokenizer
from utils.whole_files import write_json

PAD, BOS, EOS, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
FILLERS = ("the", "that", "is", "in", "looks", "like", "shaped", "a", "scene")
WORDS = (*FILLERS, *NOUNS, *SEEN, *COLOURS, *TEXTURES)
LONGEST = 24  # tokens
TOLD = ("colour", "texture", "category")
FORMS = (  # {look}: a colour, a texture, or both
    "{noun}",
    "{look} {noun}",
    "the {noun}",
    "the {look} {noun}",
    "the {noun} that is {look}",
    "the {noun} in {look}",
    "the {noun} that looks {look}",
    "the {look} object shaped like a {noun}",
    "the {look} {noun} in the scene",
    "{look}",
)
MOST_UNKNOWN = 4  # words that are put in
ABSENT, ONLY_NOUN = 0.12, 0.12  # how often nothing of the scene is named, and everything


@dataclass(frozen=True)
class Naming:
    """A text, and the numbers of the things that it names, possibly none."""

    text: str
    things: tuple[int, ...]


def make_naming(rng: np.random.Generator, scene: Scene) -> Naming:
    """Name a thing of the scene by some of what it looks like; less often a thing that is not there, or everything."""
    if rng.random() < ONLY_NOUN:
        return Naming(_worded(rng, {}), tuple(range(len(scene.things))))
    look = scene.things[rng.integers(len(scene.things))].look
    names = [name for name in TOLD if rng.random() < 0.55] or [str(rng.choice(TOLD))]
    told = {name: getattr(look, name) for name in names}
    if rng.random() < ABSENT:
        changed = str(rng.choice(names))
        told[changed] = str(rng.choice({"colour": tuple(COLOURS), "texture": TEXTURES, "category": SEEN}[changed]))
    named = [i for i, thing in enumerate(scene.things) if all(getattr(thing.look, n) == v for n, v in told.items())]
    return Naming(_worded(rng, told), tuple(named))


def _worded(rng: np.random.Generator, told: dict[str, str]) -> str:
    looks = [told[name] for name in ("colour", "texture") if name in told]
    noun = told.get("category") or str(rng.choice((*NOUNS, UNKNOWN)))
    forms = [
        form for form in FORMS if ("{look}" in form) == bool(looks) and ("{noun}" in form or "category" not in told)
    ]
    text = str(rng.choice(forms)).format(look=" ".join(looks), noun=noun)
    words = text.split()
    for _ in range(rng.integers(MOST_UNKNOWN + 1) if rng.random() < 0.4 else 0):
        words.insert(int(rng.integers(len(words) + 1)), UNKNOWN)
    return " ".join(words)


def make_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Whole words, any case, without punctuation; written to `folder` with the pictures' normalisation."""
    vocabulary = {word: number for number, word in enumerate((PAD, BOS, UNKNOWN, EOS, *WORDS))}
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
