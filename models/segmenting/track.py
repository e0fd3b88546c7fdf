"""SAM2's video model: one object, with its box in one frame -> its masks in all frames of a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, Sam2VideoInferenceSession, Sam2VideoModel

from models.segmenting.folders import check_model_folder, load_folder
from models.segmenting.found import FoundObject
from models.segmenting.grounding_dino import GroundingDino, load_grounding_dino
from models.segmenting.pictures import IMAGENET, Normalisation, autocast, make_pixel_values, read_normalisation
from models.segmenting.segment import scale_boxes
from models.segmenting.text_segmenters import BOX_THRESHOLD, object_of_logits

CORNERS = (2, 3)  # SAM2's labels of the two points that are a box
THE_OBJECT = 1  # its number in the session; there is no other


class Tracker:
    """Follows one object through a video, forwards to its end and then backwards to its beginning."""

    def __init__(self, model: PreTrainedModel, normalisation: Normalisation, dtype: torch.dtype = torch.float32):
        self.model, self.normalisation, self.dtype = model, normalisation, dtype
        self.image_size = model.config.prompt_encoder_config.image_size

    @torch.inference_mode()
    def small_logits(self, images: Sequence[np.ndarray], start: int, box: Sequence[float]) -> np.ndarray:
        """N frames, RGB uint8 (H, W, 3), and x1, y1, x2, y2 in pixels of frame `start` -> logits (N, h, w) float32.

        Raises ValueError for a box that is not four finite numbers.
        """
        side, device = self.image_size, self.model.device
        corners = scale_boxes([box], *images[start].shape[:2], side).view(1, 1, 2, 2)
        video = torch.cat([make_pixel_values(image, (side, side), self.normalisation) for image in images])
        session = Sam2VideoInferenceSession(video, side, side, device, device, device, torch.float32)
        labels = torch.tensor([[CORNERS]], dtype=torch.int32)
        prompt = {"point_coords": corners, "point_labels": labels}
        session.add_point_inputs(session.obj_id_to_idx(THE_OBJECT), start, prompt)
        session.obj_with_new_inputs = [THE_OBJECT]
        logits: list[np.ndarray | None] = [None] * len(images)
        with autocast(device, self.dtype):
            for reverse in (False, True):
                for seen in self.model.propagate_in_video_iterator(session, start, reverse=reverse):
                    logits[seen.frame_idx] = seen.pred_masks[0, 0].float().cpu().numpy()
        return np.stack(logits)


class TrackedGroundedSam2:
    """GroundingDINO finds the best box of all frames, and SAM2 follows its object through the others."""

    def __init__(self, detector: GroundingDino, tracker: Tracker, box_threshold: float = BOX_THRESHOLD):
        self.detector, self.tracker, self.box_threshold = detector, tracker, box_threshold

    def __call__(self, images: Sequence[np.ndarray], text: str) -> list[FoundObject | None]:
        """RGB uint8 frames (H, W, 3) and words -> the object in each frame; None where it is not seen.

        Its score is that of the box, in every frame. Where no box of any frame is above the threshold, all are None.
        """
        found = [self.detector.detect(image, [text]) for image in images]
        best = [float(scores.max()) if len(scores) else 0.0 for _, scores in found]
        start = int(np.argmax(best))
        if best[start] <= self.box_threshold:
            return [None] * len(images)
        boxes, scores = found[start]
        box = tuple(map(float, boxes[scores.argmax()]))
        logits = self.tracker.small_logits(images, start, box)
        objects = (
            object_of_logits(own, image.shape[:2], best[start]) for own, image in zip(logits, images, strict=True)
        )
        return [one if one.mask.any() else None for one in objects]


def load_tracked(
    folders: list[Path], device: torch.device, dtype: torch.dtype, box_threshold: float = BOX_THRESHOLD
) -> TrackedGroundedSam2:
    """Folders of GroundingDINO and of SAM2, which must hold the video model, as the published ones do.

    Raises FileNotFoundError or ValueError, naming the folder, when one holds no model of its kind.
    """
    check_model_folder(folders[1], ("sam2_video",))
    model = load_folder(Sam2VideoModel, folders[1], device)
    tracker = Tracker(model, read_normalisation(folders[1], IMAGENET), dtype)
    return TrackedGroundedSam2(load_grounding_dino(folders[0], device, dtype), tracker, box_threshold)
