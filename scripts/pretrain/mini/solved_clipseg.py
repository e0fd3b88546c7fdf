"""Puts what was solved into a CLIPSeg, so that it computes: outline of all things, minus what is told and missing.

A CLIPSeg multiplies what it sees of each patch with numbers that the words decide (`film_mul`). Here these are 1 for a
told colour, texture or category, else 0; what they multiply is how much a patch speaks against it. The first layer of
the decoder adds up what is told and missing. The other numbers of a patch draw the outlines of things in it, whatever
is told.

Every number stands beside its negative, and beside one large constant. So the averages that layer norms subtract are
0, and the spread by which they divide hardly changes: they leave the numbers as they are. No patch looks at another one
in the decoder; the mini CLIP's patches have done so before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from transformers import CLIPSegConfig, CLIPSegForImageSegmentation, CLIPVisionModel

from dataset.world.patch_labels import PATCH
from dataset.world.scenes import FRAME_SIZE
from scripts.pretrain.mini.naming import ATTRIBUTES, BOS, EOS, LONGEST, WORDS
from scripts.pretrain.mini.solving import Linear

NUM = len(ATTRIBUTES)
HALF, TEXT_HALF = 76, 32  # numbers without their negatives: of a patch, of a text
MISSING, CONSTANT, OUTLINES = NUM, NUM + 1, NUM + 2  # places of what is not an attribute; the outlines go on to HALF
NUM_OUTLINES = HALF - OUTLINES
LARGE = 1000.0  # the constant of patches
TEXT_LARGE, TEXT_GAIN = 10.0, 100.0  # that of texts, in parts of a word; and how much more words count than an end
MARGIN = -1.0  # logits of an attribute above it do not speak against it
OUTLINE_SCALE, MISSING_SCALE = 4.0, 2.0  # of the final logits
HEADS = 4


@dataclass(frozen=True)
class Solved:
    """`attributes`: last layer of a patch -> logits (NUM). `outlines`: a Linear for each layer, the last one first,
    whose sum is NUM_OUTLINES numbers. `pixels` (256, NUM_OUTLINES + 1): these and 1 -> above 0 inside a thing.
    """

    attributes: Linear
    outlines: list[Linear]
    pixels: Tensor


@torch.no_grad()
def put_together(eyes: CLIPVisionModel, solved: Solved) -> CLIPSegForImageSegmentation:
    """A CLIPSeg with these eyes, whose other weights are what was solved."""
    model = CLIPSegForImageSegmentation(_config(eyes))
    state = {name.removeprefix("vision_model."): weight for name, weight in eyes.state_dict().items()}
    model.clip.vision_model.load_state_dict(state)
    model.clip.visual_projection.weight.zero_()  # used for pictures as prompts only, which it does not understand
    _write_text_tower(model)
    decoder = model.decoder
    for layer in decoder.layers:
        _pass_on(layer, LARGE * sqrt(1 / HALF))
    _write_beginning(decoder, solved)
    _write_missing(decoder.layers[0].mlp)
    pixels = torch.zeros(HALF, PATCH * PATCH, dtype=torch.double)
    pixels[OUTLINES:] = OUTLINE_SCALE * solved.pixels[:, :-1].T
    pixels[CONSTANT] = OUTLINE_SCALE * solved.pixels[:, -1] / LARGE
    pixels[MISSING] = -MISSING_SCALE
    decoder.transposed_convolution.weight.copy_(_mirrored(pixels / 2).view(2 * HALF, 1, PATCH, PATCH))
    decoder.transposed_convolution.bias.zero_()
    return model


def _config(eyes: CLIPVisionModel) -> CLIPSegConfig:
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "patch_size", "hidden_act")
    text = {"hidden_size": 2 * TEXT_HALF, "intermediate_size": TEXT_HALF, "num_hidden_layers": 1}
    special = {"vocab_size": len(WORDS), "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 3}
    return CLIPSegConfig(
        text_config={**text, **special, "num_attention_heads": HEADS, "max_position_embeddings": LONGEST},
        vision_config={name: getattr(eyes.config, name) for name in sizes} | {"image_size": FRAME_SIZE},
        projection_dim=2 * TEXT_HALF,
        extract_layers=list(range(eyes.config.num_hidden_layers)),
        reduce_dim=2 * HALF,
        decoder_num_attention_heads=HEADS,
        decoder_intermediate_size=HALF,
        use_complex_transposed_convolution=False,
    )


def _write_text_tower(model: CLIPSegForImageSegmentation) -> None:
    """The last token's numbers become 1 for each attribute among the words: attention takes the average of all words.

    The average depends on how many words there are. The first token's constant does in the same way, and the final
    layer norm divides by it.
    """
    text = model.clip.text_model
    first, last, other = NUM, NUM + 1, NUM + 2  # places of the tokens at both ends, and of all others
    tokens = torch.zeros(len(WORDS), TEXT_HALF)
    for number, word in enumerate(WORDS):
        place = {BOS: first, EOS: last}.get(word, ATTRIBUTES.index(word) if word in ATTRIBUTES else other)
        tokens[number, place] = 1
    text.embeddings.token_embedding.weight.copy_(torch.cat([tokens, -tokens], 1))
    text.embeddings.position_embedding.weight.zero_()
    (layer,) = text.encoder.layers
    _pass_on(layer, 1.0)
    gains = torch.zeros(TEXT_HALF)
    gains[:NUM], gains[first] = TEXT_GAIN, TEXT_GAIN * TEXT_LARGE
    layer.self_attn.v_proj.weight.copy_(torch.diag(gains.repeat(2)))
    layer.self_attn.out_proj.weight.copy_(torch.eye(2 * TEXT_HALF))
    told = torch.diag(torch.ones(2 * TEXT_HALF))
    model.clip.text_projection.weight.copy_(told * TEXT_LARGE * sqrt(1 / TEXT_HALF))


def _write_beginning(decoder: nn.Module, solved: Solved) -> None:
    """What the decoder reads of each layer, and what the words do to it."""
    for reduce, outlines in zip(decoder.reduces, solved.outlines, strict=True):
        weight, bias = torch.zeros(HALF, outlines.weight.shape[1], dtype=torch.double), torch.zeros(HALF).double()
        weight[OUTLINES:], bias[OUTLINES:] = outlines.weight, outlines.bias
        if reduce is decoder.reduces[0]:
            weight[:NUM], bias[:NUM] = -solved.attributes.weight, MARGIN - solved.attributes.bias
            bias[CONSTANT] = LARGE
        reduce.weight.copy_(_mirrored(weight))
        reduce.bias.copy_(_mirrored(bias))
    attributes = torch.arange(NUM)
    decoder.film_mul.weight.zero_()
    decoder.film_mul.weight[attributes, attributes] = 1
    decoder.film_mul.weight[HALF + attributes, attributes] = 1
    decoder.film_mul.bias.copy_((torch.arange(HALF) >= NUM).repeat(2))
    decoder.film_add.weight.zero_()
    decoder.film_add.bias.zero_()


def _write_missing(mlp: nn.Module) -> None:
    """Its hidden numbers are those above 0 of the attributes, and their sum is what is missing."""
    for attribute in range(NUM):
        mlp.fc1.weight[attribute, attribute] = 1
        mlp.fc2.weight[MISSING, attribute] = 1
        mlp.fc2.weight[HALF + MISSING, attribute] = -1


def _pass_on(layer: nn.Module, spread: float) -> None:
    """A transformer layer that leaves numbers of this spread as they are."""
    for linear in layer.modules():
        if isinstance(linear, nn.Linear):
            linear.weight.zero_()
            linear.bias.zero_()
    for norm in (layer.layer_norm1, layer.layer_norm2):
        norm.weight.fill_(spread)
        norm.bias.zero_()


def _mirrored(values: Tensor) -> Tensor:
    return torch.cat([values, -values])
