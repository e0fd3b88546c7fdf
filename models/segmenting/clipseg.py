"""CLIPSeg: words -> a heat map of a picture, and the objects in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPSegForImageSegmentation, PreTrainedModel, PreTrainedTokenizerBase

from models.language.tokenizer_files import read_tokenizer
from models.segmenting.folders import check_model_folder, load_folder
from models.segmenting.found import FoundObject, TextSegmenter, sigmoid
from models.segmenting.pictures import IMAGENET, Normalisation, check_picture, make_pixel_values, read_normalisation
from models.segmenting.segment import enlarge

LEAST_REGION = 0.05  # of the largest region's area; smaller ones are specks


class ClipSeg(TextSegmenter):
    """A heat map for words. Nothing is found where no pixel is above 0.5.

    All that is above it is one object, and so are its connected regions. `one_region`: only the regions are, because
    words mean one thing.

    The frames of one video are asked about with several texts in a row: they are encoded once, and the heat map of each
    text is made once, until other frames are asked about.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        normalisation: Normalisation,
        one_region: bool = False,
    ):
        self.model, self.tokenizer, self.normalisation = model, tokenizer, normalisation
        self.side, self.one_region = model.config.vision_config.image_size, one_region
        self.images: list[np.ndarray] = []
        self.encoded: list[Tensor] = []  # of each layer that the decoder reads: (frames, patches + 1, width)
        self.logits: dict[str, np.ndarray] = {}  # text -> (frames, h, w) float32
        if isinstance(model.decoder.transposed_convolution, nn.ConvTranspose2d):
            model.decoder.transposed_convolution = PatchPixels(model.decoder.transposed_convolution)

    def __call__(self, image: np.ndarray, text: str, most: int = 1) -> list[FoundObject]:
        """RGB uint8 (H, W, 3) and words -> up to `most` objects: all that is found, then the regions, best first."""
        return self.in_frames([image], text, most)[0]

    @torch.inference_mode()
    def in_frames(self, images: Sequence[np.ndarray], text: str, most: int = 1) -> list[list[FoundObject]]:
        sizes = [check_picture(image) for image in images]
        if not _same(images, self.images):
            pixels = [make_pixel_values(image, (self.side, self.side), self.normalisation) for image in images]
            self.encoded, self.logits = self._encode(torch.cat(pixels)), {}
            self.images = list(images)
        if text not in self.logits:
            self.logits[text] = self._decode(text)
        return [self._objects(own, size, most) for own, size in zip(self.logits[text], sizes, strict=True)]

    def _encode(self, pixels: Tensor) -> list[Tensor]:
        vision = self.model.clip.vision_model(pixels.to(self.model.device), output_hidden_states=True)
        return [vision.hidden_states[layer + 1] for layer in self.model.extract_layers]

    def _decode(self, text: str) -> np.ndarray:
        longest = self.model.config.text_config.max_position_embeddings
        words = self.tokenizer(text, return_tensors="pt", truncation=True, max_length=longest).to(self.model.device)
        meant = self.model.get_conditional_embeddings(1, words["input_ids"], words["attention_mask"])
        return self.model.decoder(self.encoded, meant.expand(len(self.images), -1)).logits.float().cpu().numpy()

    def _objects(self, logits: np.ndarray, size: tuple[int, int], most: int) -> list[FoundObject]:
        """Logits (h, w) of a frame of `size` = (H, W)."""
        large = enlarge(logits[None], size)[0]
        inside = large > 0
        if not inside.any():
            return []
        soft, regions = sigmoid(large), _regions(inside)
        ranked = sorted(((float(soft[own].mean()), own) for own in regions), key=lambda one: -one[0])
        whole = [] if self.one_region else [FoundObject(inside, soft, float(soft[inside].mean()))]
        if whole and len(regions) == 1:
            return whole
        return [*whole, *(FoundObject(own, soft * own, score) for score, own in ranked[: most - len(whole)])]


class PatchPixels(nn.Module):
    """A transposed convolution to one channel whose kernel is as wide as its step, as one matrix product.

    No two patches of pixels overlap, so the numbers are the same; on a CPU, torch's own takes 20 times as long.
    """

    def __init__(self, convolution: nn.ConvTranspose2d):
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        (self.side, _) = convolution.kernel_size

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, 1, h * side, w * side)."""
        count, _, height, width = values.shape
        patches = values.flatten(2).transpose(1, 2) @ self.weight.flatten(1) + self.bias
        pixels = patches.view(count, height, width, self.side, self.side).transpose(2, 3)
        return pixels.reshape(count, 1, height * self.side, width * self.side)


def load_clipseg(folder: str | Path, device: torch.device, one_region: bool = False) -> ClipSeg:
    """The CLIPSeg in a transformers folder. `one_region`: see `ClipSeg`.

    Raises FileNotFoundError or ValueError, naming the folder, when it holds no such model.
    """
    check_model_folder(folder, ("clipseg",))
    model = load_folder(CLIPSegForImageSegmentation, folder, device)
    return ClipSeg(model, read_tokenizer(folder), read_normalisation(folder, IMAGENET), one_region)


def _same(images: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    if len(images) != len(others):
        return False
    return all(own is other or np.array_equal(own, other) for own, other in zip(images, others, strict=True))


def _regions(mask: np.ndarray) -> list[np.ndarray]:
    """(H, W) bool -> its connected regions, without specks."""
    _, owner, facts, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    areas = facts[1:, cv2.CC_STAT_AREA]
    return [owner == i + 1 for i in range(len(areas)) if areas[i] >= LEAST_REGION * areas.max()]
