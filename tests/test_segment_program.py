"""The program that makes masks, with tiny models of the published classes."""

import json
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from dataset.media.images import read_mask, read_upright_frame
from dataset.referring.layout import ReferringData
from models.segmenting import text_segmenters
from models.segmenting.track import TrackedGroundedSam2
from scripts.segment import mask_making
from scripts.segment.mask_making import words_for
from scripts.segment.run import main
from scripts.segment.score import main as score
from tests.conftest import GOLDEN
from tests.object_models import save_clipseg, save_grounding_dino, save_sam2, save_sam3

GROUND = GOLDEN / "tgs/03_ground_segment"
DATA = ["--data_dir", str(GROUND / "REFAVS"), "--metadata_dir", str(GROUND / "R2AVSBench")]
ANSWERS = GROUND / "runs/refavs_thinker_test_u/inference_results.jsonl"
UID = "vC__x_20000_30000_tuba_1"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("segmenters")
    return {
        "dino": save_grounding_dino(root / "dino"),
        "sam2": save_sam2(root / "sam2"),
        "sam2_video": always_seen(save_sam2(root / "sam2_video", video=True)),
        "sam3": save_sam3(root / "sam3"),
        "clipseg": save_clipseg(root / "clipseg"),
    }


def always_seen(folder):
    """The object that this SAM2 follows is never said to be gone."""
    tensors = load_file(folder / "model.safetensors")
    tensors["mask_decoder.pred_obj_score_head.proj_out.bias"] += 1e3
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def flags(folders, name, output, *more) -> list[str]:
    paths = ["--segmenter_path", str(folders["sam2" if name == "grounded_sam2" else name])]
    if name == "grounded_sam2":
        paths += ["--grounder_path", str(folders["dino"])]
    return [*DATA, "--segmenter", name, *paths, "--output_dir", str(output), "--test_name", "test_u", *more]


@pytest.mark.parametrize("name", ["grounded_sam2", "sam3", "clipseg"])
def test_masks_of_expressions(name, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(text_segmenters, "SAM3_THRESHOLD", 0.0)
    out = tmp_path / "masks"
    assert main(flags(folders, name, out, "--prompt", "expression", "--box_threshold", "0", "--soft_masks")) == 0
    frames = GROUND / "REFAVS/media/vC__x_20000_30000/frames"
    for i in range(10):
        assert read_mask(out / UID / f"{i:05d}.png").shape == read_upright_frame(frames / f"{i}.jpg").shape[:2]
    assert (out / UID / "soft/00009.png").is_file()
    counts = json.loads((out / "segmentation.json").read_text())
    assert (counts["expressions"], counts["frames"]) == (1, 10)
    assert counts["frames_where_nothing_was_found"] == 0 or name == "clipseg"
    assert score([str(out), *DATA, "--test_name", "test_u", "--pictures", "0"]) == 0


def test_an_object_is_followed_through_the_frames(folders, tmp_path):
    more = ("--prompt", "expression", "--box_threshold", "0", "--track", "--segmenter_path", str(folders["sam2_video"]))
    assert main(flags(folders, "grounded_sam2", tmp_path, *more)) == 0
    (detail,) = json.loads((tmp_path / "segmentation.json").read_text())["expressions_in_detail"]
    (score,) = {one for one in detail["scores"] if one is not None}  # of the one box that was followed
    assert score > 0 and read_mask(tmp_path / UID / "00009.png").shape == read_mask(tmp_path / UID / "00000.png").shape


def test_the_surest_frame_is_where_following_begins():
    class Detector:
        def detect(self, image, names):
            return np.float32([[0, 0, 8, 8], [2, 2, 9, 9]]), np.float32([0.2, image[0, 0, 0] / 10])

    class Follows:
        def small_logits(self, images, start, box):
            self.asked = start, box
            return np.stack([np.full((4, 4), -1.0 if number == 0 else 1.0, np.float32) for number in range(3)])

    pictures = [np.full((8, 12, 3), value, np.uint8) for value in (1, 6, 4)]
    tracked = TrackedGroundedSam2(Detector(), Follows(), box_threshold=0.5)
    found = tracked(pictures, "dog")
    assert tracked.tracker.asked == (1, (2, 2, 9, 9))
    assert found[0] is None and found[2].mask.all() and found[2].mask.shape == (8, 12)
    assert tracked(pictures[:1], "dog") == [None]


def test_names_of_answers_prompt_and_nothing_found_is_an_empty_mask(folders, tmp_path):
    more = ("--answers", str(ANSWERS), "--box_threshold", "0.999999")
    assert main(flags(folders, "grounded_sam2", tmp_path, *more)) == 0
    (detail,) = json.loads((tmp_path / "segmentation.json").read_text())["expressions_in_detail"]
    assert detail["words"] and detail["scores"] == [None] * 10
    assert not any(read_mask(tmp_path / UID / f"{i:05d}.png").any() for i in range(10))


def test_the_published_way_writes_its_result_file(folders, tmp_path):
    more = ("--answers", str(ANSWERS), "--match_published")
    assert main(flags(folders, "grounded_sam2", tmp_path, *more)) == 0
    results = json.loads((tmp_path / "s_object_eval_results_v2_boxthre0.1_textthre0.25.json").read_text())
    assert list(results)[:2] == ["overall_average_iou", "overall_average_fscore"]
    assert read_mask(tmp_path / UID / "00000.png").shape == (224, 224)


def test_an_interrupted_run_goes_on(folders, tmp_path, monkeypatch):
    arguments = flags(folders, "clipseg", tmp_path, "--prompt", "expression")
    arguments[arguments.index("--test_name") + 1] = "test_s"
    original, asked = mask_making.segment_frames, []

    def stop_at_the_third(row, *rest):
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(row.key)
        return original(row, *rest)

    def note(row, *rest):
        asked.append(row.key)
        return original(row, *rest)

    monkeypatch.setattr(mask_making, "segment_frames", stop_at_the_third)
    assert main(arguments) == 130
    monkeypatch.setattr(mask_making, "segment_frames", note)
    assert main(arguments) == 0
    assert len(asked) == len(set(asked)) == 5


def rows(split="test_s"):
    return ReferringData(GROUND / "REFAVS", GROUND / "R2AVSBench").expressions([split])


def answer(row, name):
    return {"uid": row.uid, "ref": row.text, "predict": f"<answer> <s_object> {name} </s_object> </answer>"}


def test_words():
    row, other = rows()[:2]
    assert words_for([row, other], [answer(other, "cat"), answer(row, "Null.")], "s_object") == [None, "cat"]
    assert words_for([row], [answer(row, "dog")], "f_object") == [None]
    assert words_for([row], [], "expression") == [row.text]
    with pytest.raises(ValueError, match="expected one for each of 1 expressions, got none for"):
        words_for([row], [], "s_object")
    with pytest.raises(ValueError, match="expected an answer about"):
        words_for([row], [answer(row, "dog") | {"ref": "another"}], "s_object")


BAD = {
    "no answers": (["--answers", "none.jsonl"], "answers none.jsonl: no such file"),
    "no file named": ([], "--answers: expected a file for --prompt s_object"),
    "another segmenter": (["--segmenter", "sam3", "--prompt", "expression"], "--grounder_path: expected a folder for"),
    "two splits": (["--match_published", "--test_name", "test_s", "test_u"], "one split as --test_name"),
    "threshold": (["--prompt", "expression", "--box_threshold", "1"], "--box_threshold: expected a number"),
    "track alone": (
        ["--match_published", "--track", "--answers", str(ANSWERS)],
        "--track: expected --segmenter grounded",
    ),
    "track pictures": (["--prompt", "expression", "--track"], "expected a model of type sam2_video, got sam2"),
    "no model": (["--prompt", "expression", "--segmenter_path", "none"], "none: expected a folder with a sam2"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_in_a_sentence(name, folders, tmp_path, capsys):
    more, sentence = BAD[name]
    try:
        code = main(flags(folders, "grounded_sam2", tmp_path, *more))
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "sentence"), [("[", "expected a JSON object"), ('{"uid": "a"}', "uid, ref and predict")]
)
def test_bad_answers(line, sentence, folders, tmp_path, capsys):
    path = tmp_path / "answers.jsonl"
    shutil.copy(ANSWERS, path)
    path.write_text(path.read_text().rstrip() + f"\n{line}\n")
    assert main(flags(folders, "clipseg", tmp_path / "out", "--answers", str(path))) == 2
    assert sentence in capsys.readouterr().err


def test_the_best_box_is_taken_not_the_first(folders):
    """The published way takes the first box above the threshold."""

    class Detector:
        def detect(self, image, names):
            return np.float32([[0, 0, 8, 8], [20, 20, 40, 40]]), np.float32([0.2, 0.9])

    class Sam2:
        def small_logits(self, image, boxes):
            self.boxes = boxes
            return np.ones((len(boxes), 4, 4), np.float32)

    segmenter = Sam2()
    (found,) = text_segmenters.GroundedSam2(Detector(), segmenter)(np.zeros((48, 64, 3), np.uint8), "dog")
    assert found.box == (20, 20, 40, 40) and found.score == pytest.approx(0.9)
    assert found.mask.shape == (48, 64) and found.mask.all()
