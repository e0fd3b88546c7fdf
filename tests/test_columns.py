"""The paper's columns: by hand, against filtered runs, and as a table."""

import math

import pytest

from tests.scored import ranked
from utils.audit import Audit
from utils.prediction import Prediction
from utils.records import to_predictions
from utils.reports.terminal import render_columns_table
from utils.scores.columns import compute_columns
from utils.scores.published import is_published_benchmark, published_columns
from utils.scores.scoring import score_answers


def test_image_columns_by_hand():
    columns = score_answers(to_predictions(ranked()), "image")[0]["columns"]
    assert columns["num_samples"] == {
        "perfect": 1,
        "cutout_hard": 1,
        "cutout_medium": 1,
        "dilate_hard": 0,
        "dilate_medium": 0,
        "erode_hard": 0,
        "erode_medium": 0,
        "merge": 2,
        "full_neg": 0,
    }
    assert columns["rmse"]["cutout_hard"] == pytest.approx(0.1)
    assert columns["rmse"]["cutout_medium"] == pytest.approx(0.3)
    assert columns["rmse"]["merge"] == pytest.approx(0.4 / math.sqrt(2))
    assert columns["f2_mask_type"]["cutout_medium"] == 0
    assert columns["f2_action"]["merge"] == pytest.approx(50)
    assert columns["rmse"]["erode_hard"] is None
    assert columns["rmse"]["avg"] == pytest.approx((0.1 + 0.1 + 0.3 + 0.4 / math.sqrt(2)) / 4)
    assert columns["columns_in_avg"] == {"rmse": 4, "f2_mask_type": 4, "f2_action": 4}


def test_columns_are_what_filtered_runs_score():
    for mode in ("image", "video"):
        columns = compute_columns(to_predictions(ranked()), mode)
        filters = {"cutout_medium": ("cutout", 2), ("merge" if mode == "image" else "merge_hard"): ("merge", -1)}
        if mode == "video":
            filters["merge_hard"] = ("merge", 1)
        for name, chosen in filters.items():
            summary = score_answers(to_predictions(ranked()), mode, *chosen)[0]
            figures = summary if mode == "image" else summary["video_avg"]
            macro = "mask_macro" if mode == "image" else "mask_macro_avg_per_video"
            assert columns["rmse"][name] == figures["rmse"]
            assert columns["f2_mask_type"][name] == 100 * figures[macro]["f2"]


def test_columns_need_known_ranks_and_no_filter():
    rankless = [{key: value for key, value in row.items() if key != "rank"} for row in ranked()]
    assert "columns" not in score_answers(to_predictions(rankless), "image")[0]
    assert "columns" not in score_answers([], "image")[0]
    assert "columns" not in score_answers(to_predictions(ranked()), "image", "cutout")[0]
    assert "columns" not in score_answers(to_predictions(ranked()), "image", "all", 1)[0]


@pytest.mark.parametrize("mode", ["image", "video"])
@pytest.mark.parametrize("test_name", ["test_s", "test_u"])
def test_published_rows_have_our_columns_and_average_to_their_own(mode, test_name):
    published, ours = published_columns(test_name, mode), compute_columns([], mode)
    for metric, row in published.items():
        assert row.keys() == ours[metric].keys()
        values = [value for name, value in row.items() if name != "avg"]
        # The printed columns and averages are rounded.
        assert sum(values) / len(values) == pytest.approx(row["avg"], abs=0.011 if metric != "rmse" else 0.0011)


def test_table_names_values_and_gaps():
    columns = score_answers(to_predictions(ranked()), "image")[0]["columns"]
    lines = render_columns_table(columns, published_columns("test_s", "image")).splitlines()
    assert " ".join(lines[0].split()) == "perfect cutout cutout dilate dilate erode erode merge full_neg avg"
    assert " ".join(lines[1].split()) == "all hard medium hard medium hard medium all all"
    assert lines[2].split()[:5] == ["RMSE", "0.100", "0.100", "0.300", "-"]
    assert lines[3].endswith("0.359    0.199    0.160    0.298    0.232    0.329    0.305    0.334    0.507    0.303")
    assert lines[-1] == "avg is over the columns that have samples (4 of 9)"
    assert max(map(len, lines)) <= 120


def blank(uid, mask_type):
    return Prediction(uid, Audit(mask_type, None, None), Audit(None, None, None), None)


def test_published_benchmark_is_recognised_by_its_counts():
    counts = {"perfect": 437, "cutout": 874, "dilate": 874, "erode": 874, "merge": 1274, "full_neg": 1276}
    samples = [blank(f"v{i % 437}", name) for name, count in counts.items() for i in range(count)]
    assert is_published_benchmark(samples, "image", "test_s")
    assert not is_published_benchmark(samples, "image", "test_u")
    assert not is_published_benchmark(samples, "video", "test_s")
    assert not is_published_benchmark(samples[:-1], "image", "test_s")
    assert not is_published_benchmark([blank("v", sample.true.mask_type) for sample in samples], "image", "test_s")
