"""The four Ground-Segment scripts with the stand-in detector and SAM2: calls, masks and result files."""

import json

import numpy as np
import pytest

from dataset.referring.layout import ReferringData
from models.segmenting.text_segmenters import PublishedGroundedSam2, published_caption
from scripts.segment.published import PublishedRun, run_published
from tests.conftest import GOLDEN

GROUND = GOLDEN / "tgs/03_ground_segment"
RUNS = sorted(path.name for path in (GROUND / "runs").iterdir())


def stand_in_sam2(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Logits of an ellipse in the box, as the golden README defines them."""
    x1, y1, x2, y2 = corners[0].astype(np.float64) * 256 / 224
    centre, half = ((x1 + x2) / 2, (y1 + y2) / 2), (max((x2 - x1) / 2, 1e-3), max((y2 - y1) / 2, 1e-3))
    x, y = np.arange(256) + 0.5, (np.arange(256) + 0.5)[:, None]
    form = 1 - ((x - centre[0]) / half[0]) ** 2 - ((y - centre[1]) / half[1]) ** 2
    return np.clip(np.round(64 * form) / 8, -40, 40).astype(np.float32)


class Recorder:
    """The stand-ins; compares each call with the recorded one."""

    def __init__(self, calls: list[dict], logits: dict[str, np.ndarray]):
        self.calls, self.logits, self.done = calls, logits, 0

    def find_boxes(self, image, caption, threshold):
        call = self.calls[self.done]
        assert (caption, threshold) == (call["caption_seen_by_detector"], call["box_threshold"])
        if not call["boxes"]:
            self.done += 1
        return [tuple(box) for box in call["boxes"] if box[4] > threshold]

    def segment(self, image, corners):
        call = self.calls[self.done]
        assert list(image.shape) == call["sam_image"]["shape"]
        assert image.mean((0, 1)) == pytest.approx(call["sam_image"]["mean_channels"], abs=0.5)
        assert corners == pytest.approx(np.array(call["sam_box"]), abs=1e-4)
        logits = stand_in_sam2(image, corners)
        if call["logits"] in self.logits:
            assert logits * 8 == pytest.approx(self.logits[call["logits"]], abs=1)
        self.done += 1
        return logits


def run_of(name: str, script: str, changed: list) -> PublishedRun:
    benchmark = "r2avs" if "R2AVSBench" in script else "refavs"
    name_tag = "f_object" if "F_OBJECT" in str(changed) else "s_object"
    prompt = "expression" if "direct_reference" in script else name_tag
    return PublishedRun(prompt, benchmark, next(split for split in ("test_s", "test_u", "test_n") if split in name))


@pytest.mark.parametrize("name", RUNS)
def test_golden_runs(name):
    folder = GROUND / "runs" / name
    golden = json.loads((folder / "run.json").read_text())
    run = run_of(name, golden["script"], golden["changed_settings"])
    answers = [json.loads(line) for line in (folder / "inference_results.jsonl").read_text().splitlines()]
    with np.load(folder / "logits.npz") as content:
        recorder = Recorder(golden["calls"], dict(content))
    masks = []
    results = run_published(
        run,
        answers,
        ReferringData(GROUND / "REFAVS", GROUND / "R2AVSBench", run.benchmark),
        PublishedGroundedSam2(recorder.find_boxes, recorder.segment),
        lambda uid, found: masks.extend(int(one.mask.sum()) for one in found if one),
    )
    assert recorder.done == len(golden["calls"])
    assert masks == [call["mask_true_pixels"] for call in golden["calls"] if "mask_true_pixels" in call]
    expected = json.loads((folder / run.result_name).read_text())
    assert list(results) == list(expected)
    for key, row in expected.items():
        if isinstance(row, str):
            assert results[key] == row
            continue
        assert list(results[key]) == list(row)
        numbers = {field: value for field, value in row.items() if not isinstance(value, str)}
        assert {field: results[key][field] for field in numbers} == pytest.approx(numbers, abs=1e-6)
        assert {field: results[key][field] for field in row if field not in numbers} == {
            field: value for field, value in row.items() if field not in numbers
        }


def test_golden_captions():
    golden = json.loads((GOLDEN / "tgs/04_object_text.json").read_text())
    for row in golden["object_text"]:
        assert published_caption(row["extracted"], is_name=True) == row["caption_seen_by_detector"]
    for row in golden["raw_reference"]:
        assert published_caption(row["ref"], is_name=False) == row["caption_seen_by_detector"]
