"""The metrics summary of one run: the published keys and rules, and strict figures beside them.

Frame-level scoring (paper, Eq. 8 to 11); `video` adds the video level, `columns` the paper's tables.
"""

from __future__ import annotations

import logging
from collections import Counter

import numpy as np

from utils.audit import ACTIONS, normalize_action
from utils.mask_types import MASK_TYPES
from utils.prediction import Prediction
from utils.records import normalize_filters
from utils.scores.answers import Answers
from utils.scores.counts import class_scores, count_labels, macro_scores, micro_scores, rmse
from utils.scores.video import video_average, video_rows
from utils.splits import EVAL_MODES

logger = logging.getLogger(__name__)


def score_predictions(
    predictions: list[Prediction] | Answers,
    eval_mode: str,
    mask_type_filter: str | None = "all",
    mask_rank_filter: int | None = -1,
    rows: list[dict] | None = None,
) -> dict:
    """Predictions that a run with these filters made -> its metrics summary. `rows`: their `video_rows`, if known.

    IoU errors are in [0, 1], ratios in [0, 1]; None where there is nothing to divide by. Nothing is filtered here.
    Published rules that a reader may not expect (kept, so that numbers compare):
    - rmse: an IoU that did not parse counts as 0.0; samples without a ground truth IoU are left out.
    - Actions scored are those that occur as ground truth (of the filtered type); predictions of others add no fp.
    - Ground truth actions are normalised to find those classes, but not for counting: "Minor Revision" is no hit.
    - `*_macro` in image mode also divides by classes that were predicted but have no ground truth.
    - prediction_failures lists only samples with a uid; `count_all` has the rest too.
    Names and additions: a class's or macro `f2` is called f1 in the published files; a micro `f1` is a true F1, and the
    micro `f2` beside it is Eq. 9. `*_strict` is Eq. 11: ground truth normalised, mean over classes with ground truth.
    A type filter that is no class (e.g. "cutoff") gives empty mask metrics and a warning. Raises ValueError for a mode
    that is neither image nor video.
    """
    if eval_mode not in EVAL_MODES:
        raise ValueError(f"eval_mode: expected image or video, got {eval_mode!r}")
    mask_type, rank = normalize_filters(mask_type_filter, mask_rank_filter)
    if mask_type not in ("all", *MASK_TYPES):
        logger.warning("mask type filter %r is none of %s: mask scores are empty", mask_type, ", ".join(MASK_TYPES))
    gt_only = eval_mode == "video"
    answers = Answers.of(predictions)
    of_type = answers if mask_type == "all" else answers.of_type(mask_type)
    summary = {
        "mask_rank_filter": rank,
        "mask_rank_desc": f"rank={rank}" if rank > 0 else "all ranks (average across mask candidates)",
        "mask_type_filter": mask_type,
        "eval_mode": eval_mode,
        "samples": len(answers),
        **frame_scores(answers, of_type, mask_type, gt_only),
        "prediction_failures": _failures(answers),
        "per_mask": {
            name: _one_type_metrics(name, answers.of_type(name), gt_only)
            for name in (MASK_TYPES if mask_type == "all" else [mask_type])
        },
    }
    if mask_type != "all":
        summary["gt_mask_type_breakdown"] = _breakdown(mask_type, of_type)
    if eval_mode == "video" and len(answers):
        summary["video_avg"] = video_average(video_rows(answers) if rows is None else rows)
    return summary


def frame_scores(answers: Answers, of_type: Answers, mask_type: str, gt_only: bool) -> dict:
    """The summary's figures of all frames: rmse, and those of actions and mask types.

    `of_type`: the answers for masks of the filter's type, whose actions are scored; all, if the filter is "all".
    """
    mask_classes = [name for name in MASK_TYPES if mask_type in ("all", name)]
    return {
        "rmse": _iou_rmse(answers),
        **_label_metrics("action", answers, _actions_present(of_type), gt_only),
        **_label_metrics("mask", answers, mask_classes, gt_only),
    }


def _iou_rmse(answers: Answers) -> float | None:
    pairs = zip(answers.said.tolist(), answers.true.tolist(), strict=True)
    return rmse((said or 0.0, true) for said, true in pairs if true is not None)


def _actions_present(answers: Answers) -> list[str]:
    """The actions that occur as ground truth, in the order of ACTIONS; all of them if none does."""
    present = {normalize_action(action) for action in answers.count("true_action")}
    return [action for action in ACTIONS if action in present] or list(ACTIONS)


def _label_metrics(label: str, answers: Answers, classes: list[str], gt_only: bool) -> dict:
    """{label}_metrics, _micro and _macro by the published rule, and _macro_strict; label is "action" or "mask"."""
    field = "mask_type" if label == "mask" else label
    pairs = answers.count(f"true_{field}", f"said_{field}")
    counts = count_labels(pairs, classes)
    scores = {name: class_scores(counts[name]) for name in classes}
    return {
        f"{label}_metrics": scores,
        f"{label}_micro": micro_scores(counts.values()),
        f"{label}_macro": macro_scores(scores.values(), gt_only),
        f"{label}_macro_strict": _strict_macro(label, pairs, classes),
    }


def _strict_macro(label: str, pairs: Counter[tuple], classes: list[str]) -> dict:
    if label == "action":
        given, pairs = pairs, Counter()
        for (truth, predicted), number in given.items():
            pairs[normalize_action(truth), predicted] += number
    return macro_scores(map(class_scores, count_labels(pairs, classes).values()), gt_only=True)


def _one_type_metrics(mask_type: str, own: Answers, gt_only: bool) -> dict:
    """Scores inside the samples of one true type; nothing else can be mistaken for it there, so precision is 0 or 1."""
    pairs = own.count("true_mask_type", "said_mask_type")
    actions = _label_metrics("action", own, _actions_present(own), gt_only)
    return {
        "num_samples": len(own),
        "rmse": _iou_rmse(own),
        "mask_metrics": class_scores(count_labels(pairs, [mask_type])[mask_type]),
        "action_metrics": actions["action_macro"],
        "action_metrics_strict": actions["action_macro_strict"],
    }


def _failures(answers: Answers) -> dict:
    unread = {
        "action": answers.chosen(lambda labels: labels.said_action is None),
        "mask_type": answers.chosen(lambda labels: labels.said_mask_type is None),
        "iou_value": np.array([iou is None for iou in answers.said], bool),
    }
    failures = {}
    for name, chosen in unread.items():
        failed = [answers.uids[video] for video in answers.videos[chosen]]
        uids = [uid for uid in failed if uid is not None]
        failures[name] = {"count": len(uids), "uids": uids, "count_all": len(failed)}
    return failures


def _breakdown(mask_type: str, answers: Answers) -> dict:
    """What was predicted for the samples of the filtered type, in order of first appearance.

    An unparsed label has the key None, which JSON writes as "null": beside predictions of the class "null" the file has
    that key twice, and a reader keeps the later one. The published files are like this; `unparsed` has the number in
    any case.
    """
    types, actions = answers.count("said_mask_type"), answers.count("said_action")
    return {
        "gt_mask_type": mask_type,
        "total_samples": len(answers),
        "pred_mask_distribution": _distribution(types),
        "pred_action_distribution": _distribution(actions),
        "unparsed": {"mask_type": types[None], "action": actions[None]},
    }


def _distribution(labels: Counter) -> dict[str | None, dict]:
    return {label: {"count": count, "ratio": count / labels.total()} for label, count in labels.items()}
