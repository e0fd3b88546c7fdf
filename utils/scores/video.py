"""Video-level figures (paper, Eq. 12 and 13): frames of one uid are summarised first, then uids are averaged.

One row per uid goes to predictions_video_avg; `metrics` puts the averages into the summary.
"""

from __future__ import annotations

from utils.audit import ACTIONS, normalize_action, normalize_mask_type
from utils.mask_types import MASK_TYPES
from utils.prediction import Prediction
from utils.scores.answers import Answers
from utils.scores.counts import Count, class_scores, count_labels, macro_scores, mean, rmse

Pair = tuple[str | None, str | None]


def video_rows(predictions: list[Prediction] | Answers) -> list[dict]:
    """One row per uid, in order of appearance (key "vid" holds the uid, as in the published files).

    Everything of a uid is one video: in a run over all types or ranks they are averaged together, so Table 3 is made
    from runs filtered to one type and rank (see `columns`). Predictions without a uid form one row of their own.
    """
    answers = Answers.of(predictions)
    actions = [(normalize_action(own.true_action), normalize_action(own.said_action)) for own in answers.labels]
    types = [
        (normalize_mask_type(own.true_mask_type), normalize_mask_type(own.said_mask_type)) for own in answers.labels
    ]
    return [
        _video_row(uid, [actions[kind] for kind in kinds], [types[kind] for kind in kinds], said, true)
        for uid, kinds, said, true in answers.by_video()
    ]


def _video_row(
    uid: int | str | None, actions: list[Pair], types: list[Pair], said: list[float | None], true: list[float | None]
) -> dict:
    """`actions`, `types`: (true, predicted) of each frame; `said`, `true`: its IoUs."""
    action_counts, mask_counts = count_labels(actions, ACTIONS), count_labels(types, MASK_TYPES)
    return {
        "vid": uid,
        "avg_pred_iou": mean(said),
        "avg_gt_iou": mean(true),
        "action_counts": action_counts,
        "mask_counts": mask_counts,
        "action_acc": _accuracy(action_counts),
        "mask_acc": _accuracy(mask_counts),
        "action_macro": macro_scores(map(class_scores, action_counts.values()), gt_only=True),
        "mask_macro": macro_scores(map(class_scores, mask_counts.values()), gt_only=True),
        "gt_actions": [truth for truth, _ in actions],
        "pred_actions": [predicted for _, predicted in actions],
        "gt_mask_types": [truth for truth, _ in types],
        "pred_mask_types": [predicted for _, predicted in types],
        "frame_num": len(actions),
        "avg_pred_iou_strict": mean(own or 0.0 for own, other in zip(said, true, strict=True) if other is not None),
    }


def video_average(rows: list[dict]) -> dict:
    """Rows of `video_rows` -> the summary's "video_avg".

    rmse: the published rule drops frames whose IoU did not parse, and with them uids where none did.
    rmse_strict: Eq. 12 over all frames with ground truth, an unparsed IoU counting as 0.0 as in the frame-level RMSE.
    Macro figures: Eq. 13 with the classes that occur in each video; uids without a ground truth label drop out.
    """
    truth = [row["avg_gt_iou"] for row in rows]
    return {
        "videos": len(rows),
        "rmse": _rmse_of_known([row["avg_pred_iou"] for row in rows], truth),
        "action_acc_avg_per_video": mean(row["action_acc"] for row in rows),
        "mask_acc_avg_per_video": mean(row["mask_acc"] for row in rows),
        "action_macro_avg_per_video": _mean_scores([row["action_macro"] for row in rows]),
        "mask_macro_avg_per_video": _mean_scores([row["mask_macro"] for row in rows]),
        "rmse_strict": _rmse_of_known([row["avg_pred_iou_strict"] for row in rows], truth),
    }


def _rmse_of_known(predicted: list[float | None], truth: list[float | None]) -> float | None:
    return rmse((p, t) for p, t in zip(predicted, truth, strict=True) if p is not None and t is not None)


def _mean_scores(scores: list[dict]) -> dict:
    return {key: mean(score[key] for score in scores) for key in ("precision", "recall", "f2")}


def _accuracy(counts: dict[str, Count]) -> float | None:
    hits = sum(count["tp"] for count in counts.values())
    total = hits + sum(count["fn"] for count in counts.values())
    return hits / total if total else None
