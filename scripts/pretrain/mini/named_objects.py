"""The work of scripts.pretrain.mini.segmenter: drawn scenes, names of their things, a CLIPSeg that learns them."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm
from transformers import CLIPSegConfig, CLIPSegForImageSegmentation, CLIPVisionModel, PreTrainedTokenizerFast

from configs.mini import PartsArguments
from dataset.media.lengths import NUM_FRAMES
from dataset.world.free_scenes import free_scene
from dataset.world.patch_labels import GRID
from dataset.world.render import render
from dataset.world.scenes import FRAME_SIZE, Scene
from models.auditor.build import PUBLISHED_NAMES
from models.segmenting.pictures import CLIP, make_pixel_values
from models.weights.base_folders import save_model
from scripts.pretrain.mini.naming import LONGEST, WORDS, Naming, make_naming, make_tokenizer
from scripts.pretrain.mini.schedule import train

FOLDER = "clipseg"
SEED = 5_000  # of the scenes
NUM_SCENES, FRAMES_PER_SCENE = 700, 2
STEPS, PICTURES, NAMINGS, LEARNING_RATE = 1_500, 4, 3, 1.5e-3  # so many names in each picture
TEXT_WIDTH, REDUCED, HEADS = 64, 64, 4
WORD_STEPS, WORD_BATCH = 1_000, 48
DICE_WEIGHT = 1.0
LEAST_SPREAD, FIRST_LOOK = 0.02, 128  # pictures
SIDE = (FRAME_SIZE, FRAME_SIZE)


@dataclass(frozen=True)
class Still:
    """One frame (224, 224, 3) uint8, which thing owns each pixel (0: none, i + 1: thing i), and its scene."""

    frame: np.ndarray
    owner: np.ndarray
    scene: Scene


class Namer(nn.Module):
    """A CLIPSeg whose pictures are encoded once for several names."""

    def __init__(self, model: CLIPSegForImageSegmentation):
        super().__init__()
        self.model = model

    def losses(self, batch: dict) -> dict[str, Tensor]:
        """The loss, and the mean IoU of names that name something."""
        logits = self.logits(batch["pixels"], batch["ids"], batch["attended"])
        truth = batch["masks"]
        dice = _dice(logits.sigmoid(), truth)
        loss = F.binary_cross_entropy_with_logits(logits, truth) + DICE_WEIGHT * dice.mean()
        is_named, inside = truth.flatten(1).any(1), (logits > 0).flatten(1)
        overlap = (inside & (truth > 0).flatten(1)).sum(1) / (inside | (truth > 0).flatten(1)).sum(1).clamp(min=1)
        return {"loss": loss, "iou": overlap[is_named].mean(), "empty": (~inside.any(1))[~is_named].float().mean()}

    def logits(self, pixels: Tensor, ids: Tensor, attended: Tensor) -> Tensor:
        """(P, 3, H, W) pictures and (P * N, L) names, those of one picture together -> (P * N, H, W)."""
        layers = [one.repeat_interleave(len(ids) // len(pixels), 0) for one in self.look(pixels)]
        named = self.model.clip.get_text_features(ids, attention_mask=attended).pooler_output
        return self.model.decoder(layers, named).logits

    @torch.no_grad()
    def look(self, pixels: Tensor) -> list[Tensor]:
        """What the decoder reads of pictures: (P, patches + 1, width) of some layers. These are not trained."""
        seen = self.model.clip.vision_model(pixels, output_hidden_states=True).hidden_states
        return [seen[i + 1] for i in self.model.config.extract_layers]

    @torch.no_grad()
    def start(self, pixels: Tensor) -> None:
        """First weights of what reads the layers, from some pictures (P, 3, H, W).

        A layer's values differ most along few directions, so that colours and textures, which lie along others, would
        be learned very slowly. Here every direction differs by the same.
        """
        decoder, layers = self.model.decoder, self.look(pixels)
        for reduce, layer in zip(decoder.reduces, layers[::-1], strict=True):
            values = layer[:, 1:].flatten(0, 1)
            spread, directions = torch.linalg.eigh(torch.cov(values.T))
            strongest = directions[:, -REDUCED:] / (spread[-REDUCED:] + LEAST_SPREAD).sqrt()
            reduce.weight.copy_(strongest.T)
            reduce.bias.copy_(-strongest.T @ values.mean(0))
        decoder.film_mul.weight.copy_(torch.eye(REDUCED))
        decoder.film_mul.bias.zero_()

    @torch.no_grad()
    def features(self, pixels: Tensor) -> Tensor:
        """(P, 3, H, W) -> (P, patches, REDUCED): what the decoder multiplies with names."""
        return self.model.decoder.reduces[0](self.look(pixels)[-1])[:, 1:]

    def word_losses(self, batch: dict) -> dict[str, Tensor]:
        """How far names are from the average of what is seen where they hold."""
        named = self.model.clip.get_text_features(batch["ids"], attention_mask=batch["attended"]).pooler_output
        return {"loss": F.mse_loss(named, batch["seen"])}


def _dice(inside: Tensor, truth: Tensor) -> Tensor:
    """(N,) one minus the overlap of soft masks; of an empty truth, what is inside counts."""
    both, sums = (inside * truth).flatten(1).sum(1), (inside + truth).flatten(1).sum(1)
    return 1 - (2 * both + 20) / (sums + 20)


def make_segmenter(args: PartsArguments) -> None:
    """Train it and save it, in half precision, with its tokenizer."""
    weights, work = Path(args.weights), Path(args.work)
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    tokenizer = make_tokenizer(weights / FOLDER)
    namer = Namer(new_model(weights / PUBLISHED_NAMES["clip_path"]))
    stills = [] if (work / "segmenter.done.pt").is_file() else draw_stills()
    if stills:
        namer.start(torch.cat([make_pixel_values(still.frame, SIDE, CLIP) for still in stills[:FIRST_LOOK]]))
    seen = [namer.features(make_pixel_values(still.frame, SIDE, CLIP))[0].numpy() for still in stills]
    words = partial(make_word_batch, stills, seen, tokenizer)
    train("words", namer, words, namer.word_losses, steps=WORD_STEPS, learning_rate=2e-3, folder=work, seed=SEED)
    batches = partial(make_batch, stills, tokenizer)
    train("segmenter", namer, batches, namer.losses, steps=STEPS, learning_rate=LEARNING_RATE, folder=work, seed=SEED)
    save_model(namer.model.half(), weights / FOLDER)


def new_model(clip_folder: Path) -> CLIPSegForImageSegmentation:
    """A CLIPSeg that sees as the mini CLIP does, for good, and knows no words yet."""
    eyes = CLIPVisionModel.from_pretrained(clip_folder, dtype=torch.float32, local_files_only=True)
    layers = eyes.config.num_hidden_layers
    text = {"hidden_size": TEXT_WIDTH, "intermediate_size": 4 * TEXT_WIDTH, "num_hidden_layers": 2}
    special = {"vocab_size": 4 + len(WORDS), "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 3}
    config = CLIPSegConfig(
        text_config={**text, **special, "num_attention_heads": HEADS, "max_position_embeddings": LONGEST},
        vision_config={
            name: getattr(eyes.config, name)
            for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
        }
        | {"image_size": FRAME_SIZE, "patch_size": eyes.config.patch_size, "hidden_act": eyes.config.hidden_act},
        projection_dim=TEXT_WIDTH,
        extract_layers=[0, layers - 1],
        reduce_dim=REDUCED,
        decoder_num_attention_heads=HEADS,
        decoder_intermediate_size=4 * REDUCED,
        use_complex_transposed_convolution=True,
    )
    model = CLIPSegForImageSegmentation(config)
    model.decoder.apply(_start_small)
    state = eyes.state_dict()
    missing, unexpected = model.clip.vision_model.load_state_dict(
        {name.removeprefix("vision_model."): weight for name, weight in state.items()}, strict=False
    )
    if missing or unexpected:
        raise ValueError(f"{clip_folder}: expected the vision tower of CLIP, got other weights: {missing + unexpected}")
    model.clip.vision_model.requires_grad_(False)
    return model


def _start_small(module: nn.Module) -> None:
    """torch's own first weights: those of transformers' CLIPSeg decoder are so large that logits begin in hundreds."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        module.reset_parameters()


def draw_stills() -> list[Still]:
    """Some frames of every scene."""
    with ProcessPoolExecutor(2) as pool:
        drawn = pool.map(_draw_scene, range(NUM_SCENES), chunksize=20)
        return [still for stills in tqdm(drawn, "drawing scenes", NUM_SCENES, mininterval=5) for still in stills]


def _draw_scene(number: int) -> list[Still]:
    scene = free_scene(SEED, number)
    moments = np.random.default_rng([SEED, number, 1]).choice(NUM_FRAMES, FRAMES_PER_SCENE, replace=False).tolist()
    drawn = render(scene, moments)
    stills = []
    for at in range(len(moments)):
        owner = np.zeros(SIDE, np.uint8)
        for i, masks in enumerate(drawn.masks):
            owner[masks[at]] = i + 1
        stills.append(Still(drawn.frames[at], owner, scene))
    return stills


def make_word_batch(stills: list[Still], seen: list[np.ndarray], tokenizer: PreTrainedTokenizerFast, step: int) -> dict:
    """Names of things in some frames, and the average of `seen`, the features of each frame, over these things."""
    rng = np.random.default_rng([SEED, 3, step])
    texts, averages = [], []
    while len(texts) < WORD_BATCH:
        number = int(rng.integers(len(stills)))
        naming = make_naming(rng, stills[number].scene)
        inside = cv2.resize(_named(stills[number], naming), (GRID, GRID), interpolation=cv2.INTER_AREA).ravel()
        if inside.any():
            texts.append(naming.text)
            averages.append(inside @ seen[number] / inside.sum())
    return _tokens(tokenizer, texts) | {"seen": torch.from_numpy(np.stack(averages).astype(np.float32))}


def make_batch(stills: list[Still], tokenizer: PreTrainedTokenizerFast, step: int) -> dict:
    """PICTURES frames, with NAMINGS names each: what they name as masks."""
    rng = np.random.default_rng([SEED, 2, step])
    chosen = [stills[i] for i in rng.integers(len(stills), size=PICTURES)]
    namings = [[make_naming(rng, still.scene) for _ in range(NAMINGS)] for still in chosen]
    texts = [naming.text for own in namings for naming in own]
    masks = [_named(still, naming) for still, own in zip(chosen, namings, strict=True) for naming in own]
    return _tokens(tokenizer, texts) | {
        "pixels": torch.cat([make_pixel_values(still.frame, SIDE, CLIP) for still in chosen]),
        "masks": torch.from_numpy(np.stack(masks)),
    }


def _named(still: Still, naming: Naming) -> np.ndarray:
    """(224, 224) float32: 1 where the frame shows what is named."""
    return np.isin(still.owner, [i + 1 for i in naming.things]).astype(np.float32)


def _tokens(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> dict[str, Tensor]:
    words = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=LONGEST)
    return {"ids": words["input_ids"], "attended": words["attention_mask"]}
