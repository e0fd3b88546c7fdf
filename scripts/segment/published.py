"""The four Ground-Segment scripts of TGS-Agent: their inputs, choices and result files, mistakes included.

For comparing numbers. What is wrong with this way, and how ours differs, is in docs/repair.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from dataset.media.images import read_frame
from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import NULL_SPLIT, SPLIT_NAMES, Expression
from dataset.referring.layout import ReferringData
from dataset.referring.truth import read_truth_tgs
from models.segmenting.found import FoundObject
from models.segmenting.text_segmenters import PUBLISHED_SIZE, published_caption
from utils.scores.protocols import Stack, tgs_scores
from utils.thought import NULL, published_object_text

NOT_SCORED = -999  # F of a null reference
TAGS = {"s_object": "s", "f_object": "f"}
Segment = Callable[[np.ndarray, str], list[FoundObject]]


@dataclass(frozen=True)
class PublishedRun:
    """`prompt`: s_object, f_object or expression. `benchmark`: refavs or r2avs. `split`: test_s, test_u or test_n."""

    prompt: str
    benchmark: str
    split: str

    @property
    def result_name(self) -> str:
        thresholds = "eval_results_v2_boxthre0.1_textthre0.25"
        if self.prompt == "expression":
            plain = self.benchmark == "refavs"
            return f"direct_ref_{thresholds}_reproduce.json" if plain else f"R2AVSBench_butOriref_{thresholds}v2.json"
        return f"{self.prompt}_{thresholds}{'' if self.benchmark == 'refavs' else '_reproduce'}.json"

    @property
    def reads_answers(self) -> bool:
        """The script for R2-AVSBench with raw expressions takes them from the metadata."""
        return not (self.prompt == "expression" and self.benchmark == "r2avs")


def run_published(
    run: PublishedRun,
    answers: list[dict],
    data: ReferringData,
    segment: Segment,
    keep: Callable[[str, list[FoundObject | None]], None] | None = None,
) -> dict:
    """The content of the published result file. `answers`: lines with uid, ref and predict.

    `keep` gets the uid and the objects found in its frames, None for a frame without one.
    """
    rows = {row.uid: row for row in reversed(data.expressions(SPLIT_NAMES))}  # the first row of a uid counts
    results: dict[str, dict] = {}
    for entry in tqdm(list(_entries(run, answers, data)), desc="segmenting", unit="expression"):
        uid, text, said = entry
        if uid in results:
            continue  # as published: further lines of a uid are dropped
        row = rows.get(uid)
        stack, found = _segment_frames(row, text, run, data, segment)
        if keep and row:
            keep(uid, found)
        j, f = _scores(stack, text, run.split)
        own, other = ("f", "s") if run.prompt == "f_object" else ("s", "f")
        values = {f"{own}_mean_iou": j, f"{other}_mean_iou": 0, f"{own}_fscore": f, f"{other}_fscore": 0}
        names = ("f_mean_iou", "s_mean_iou", "f_fscore", "s_fscore")
        results[uid] = {"vid": uid.rsplit("_", 2)[0], **said, **{name: values[name] for name in names}}
    own = "f" if run.prompt == "f_object" else "s"
    averages = (_average([row[f"{own}_{name}"] for row in results.values()]) for name in ("mean_iou", "fscore"))
    return dict(zip(("overall_average_iou", "overall_average_fscore"), averages, strict=True)) | results


def _entries(run: PublishedRun, answers: list[dict], data: ReferringData) -> Iterator[tuple[str, str, dict]]:
    """(uid, text that prompts, what the result file repeats) of each line or row."""
    if not run.reads_answers:
        for row in data.expressions([run.split]):
            yield row.uid, row.text, {"ref": row.text}
        return
    for answer in answers:
        names = {tag: published_object_text(answer["predict"], tag) for tag in ("f_object", "s_object")}
        yield answer["uid"], names.get(run.prompt, answer["ref"]), names


def _segment_frames(
    row: Expression | None, text: str, run: PublishedRun, data: ReferringData, segment: Segment
) -> tuple[Stack, list[FoundObject | None]]:
    """The frames that have both a picture and a truth. A uid that is not in the metadata has none."""
    caption = published_caption(text, is_name=run.prompt != "expression")
    hard, soft, truths = [], [], []
    found: list[FoundObject | None] = [None] * NUM_FRAMES
    for frame, truth_path in enumerate(data.truth_paths(row) if row else []):
        frame_path = data.frame_path(row.vid, frame)
        if not (frame_path.is_file() and truth_path.is_file()):
            continue
        objects = segment(read_frame(frame_path), caption)
        found[frame] = objects[0] if objects else None
        hard.append(objects[0].mask if objects else np.zeros(PUBLISHED_SIZE, bool))
        soft.append(objects[0].soft if objects else np.zeros(PUBLISHED_SIZE, np.float32))
        truths.append(read_truth_tgs(truth_path))
    nothing = np.zeros((0, *PUBLISHED_SIZE))
    return Stack(*(np.stack(own) if own else nothing for own in (hard, soft, truths))), found


def _scores(stack: Stack, text: str, split: str) -> tuple[float, float]:
    if split != NULL_SPLIT:
        scores = tgs_scores(stack, is_null=False)
        return scores["J"], scores["F"]
    return 0.0 if text == NULL else tgs_scores(stack, is_null=True)["S"], NOT_SCORED


def _average(values: list[float]) -> str:
    counted = [value for value in values if value >= 0]
    return f"{np.mean(counted) if counted else 0:.4f}"
