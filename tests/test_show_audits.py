"""Right and wrong audits as pictures."""

from dataclasses import replace

import cv2
import pytest

from dataset.benchmark.annotations import read_test
from scripts.evaluate.show_audits import main
from tests.conftest import BENCHMARK
from utils.audit import Audit, normalize_action, render_audit
from utils.whole_files import write_jsonl


@pytest.fixture
def results(tmp_path):
    """A run over the golden benchmark whose every third answer is "perfect"."""
    rows = []
    for sample in read_test(BENCHMARK, "test_s", "image").samples:
        for number, c in enumerate(c for c in sample.candidates if c.audit.mask_type != "null"):
            true = replace(c.audit, action=normalize_action(c.audit.action))
            said = true if number % 3 else Audit("perfect", 1.0, "accept")
            rows.append(
                {
                    "uid": sample.uid,
                    "vid": sample.vid,
                    "mask_type": true.mask_type,
                    "iou_to_gt": true.iou,
                    "action": c.audit.action,
                    "rank": c.rank,
                    "mask_path": c.mask_name,
                    "raw_output": render_audit(said, "wheel", "star"),
                }
            )
    run = tmp_path / "test_s_image_mask-all_rank-all"
    run.mkdir()
    write_jsonl(run / "predictions_image_mask-all_rank-all.jsonl", rows)
    return tmp_path


def test_pictures_are_written(results, capsys):
    assert main([str(results), "--data_dir", str(BENCHMARK), "--count", "4"]) == 0
    assert capsys.readouterr().out.count("written: ") == 2
    for name in ("right", "wrong"):
        height, width, _ = cv2.imread(str(results / f"audits_{name}.png")).shape
        assert width > 1000 and height > 300


def test_a_run_over_other_masks(results, capsys):
    run = results / "test_s_image_mask-all_rank-all/predictions_image_mask-all_rank-all.jsonl"
    run.write_text(run.read_text().replace('"uid": "', '"uid": "other_'))
    assert main([str(results), "--data_dir", str(BENCHMARK)]) == 2
    assert "expected the audited masks" in capsys.readouterr().err


def test_a_run_that_is_not_there(tmp_path, capsys):
    assert main([str(tmp_path), "--data_dir", str(BENCHMARK)]) == 2
    assert "expected a run of test_s in image mode, got none" in capsys.readouterr().err
