"""Means and spreads over seeds."""

import json

import pytest

from scripts.evaluate.seeds import main


def summary(f2: float, rmse: float) -> dict:
    own = {"f2_mask_type": f2, "f2_action": 50.0, "rmse": rmse}
    columns = {"full_neg": {"f2_mask_type": f2 / 2, "f2_action": 0.0, "rmse": 0.1}}
    scores = own | {"columns": columns, "baselines": {"mean IoU": {"rmse": 0.275}}}
    kinds = {"sound": {"full_neg": {"f2_mask_type": f2 / 4, "num_samples": 8}, "merge": {"f2_mask_type": None}}}
    return {"test_s": {"image": scores, "kinds": kinds}, "before": {}}


def test_mean_and_spread(tmp_path, capsys):
    files = [tmp_path / f"{i}.json" for i in range(3)]
    for file, f2, rmse in zip(files, (70, 80, 90), (0.25, 0.26, 0.3), strict=True):
        file.write_text(json.dumps(summary(f2, rmse)))
    assert main([str(file) for file in files]) == 0
    shown = capsys.readouterr().out
    assert "| test_s | image | F2-M | 70.0 | 80.0 | 90.0 | **80.0** | 10.0 |" in shown
    assert "| test_s | image | F2-M of full_neg | 35.0 | 40.0 | 45.0 | **40.0** | 5.0 |" in shown
    assert "| test_s | image | RMSE | 0.250 | 0.260 | 0.300 | **0.270** | 0.026 |" in shown
    assert "| test_s | image | RMSE of the mean IoU | 0.275 | 0.275 | 0.275 | **0.275** | 0.000 |" in shown
    assert "| test_s | sound | F2-M of full_neg | 17.5 | 20.0 | 22.5 | **20.0** | 2.5 |" in shown
    assert "F2-M of merge" not in shown


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"test_s": {"image": {"rmse": 1}}}', "expected a summary of scripts.evaluate.summarize"),
        ("[", "expected a summary of scripts.evaluate.summarize"),
        ("{}", "scores: expected the same tests in all summaries"),
    ],
)
def test_another_file(tmp_path, capsys, content, message):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(summary(70, 0.2)))
    bad.write_text(content)
    assert main([str(good), str(bad)]) == 2
    assert message in capsys.readouterr().err
    assert main([str(good)]) == 2
    assert "expected two or more summaries" in capsys.readouterr().err
