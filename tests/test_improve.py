"""Auditing and repairing masks: with an auditor that knows the truth, with tiny real models, and with wrong input."""

import json
import shutil
from collections import Counter
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from dataset.media.images import encode_mask, read_mask, read_upright_frame
from dataset.referring.layout import ReferringData
from models.segmenting.found import FoundObject, TextSegmenter
from scripts.answering.answerer import Answerer, Reply
from scripts.benchmark.draw_world import main as draw_world
from scripts.repair import audits, improving
from scripts.repair.candidates import CandidateStore
from scripts.segment import mask_scoring
from scripts.segment.improve import main
from scripts.session import AuditSession
from tests.conftest import GOLDEN
from tests.object_models import save_clipseg, save_sam2
from utils.audit import Audit, render_audit

CKPT = GOLDEN / "weights/ckpt"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("drawn") / "world"
    few = ["--num_train", "0", "--num_validation", "0", "--num_test_s", "3", "--num_test_u", "2"]
    assert draw_world(["--output", str(root), *few]) == 0
    return root


def rows_of(world):
    return ReferringData(world).expressions(["test_s", "test_u"])


def truth(world, row, frame, fid=None):
    folder = world / "gt_mask" / row.vid / f"fid_{row.fid if fid is None else fid}"
    return read_mask(folder / f"{frame:05d}.png")


def other_fid(world, row):
    return next(n for n in range(9) if n != row.fid and (world / "gt_mask" / row.vid / f"fid_{n}").is_dir())


@pytest.fixture
def masks(world, tmp_path):
    """Of every second expression the mask of another object, with nothing in between right."""
    for number, row in enumerate(rows_of(world)):
        fid = other_fid(world, row) if number % 2 == 0 else row.fid
        for frame in range(10):
            path = tmp_path / "masks" / row.key / f"{frame:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_mask(truth(world, row, frame, fid)))
    return tmp_path / "masks"


class KnowsTheTruth(Answerer):
    """Audits by the ground truth. It calls the target by its key, which `Finder` understands."""

    def __init__(self, world):
        self.world, self.rows = world, {row.key: row for row in rows_of(world)}
        self.args, self.asked = SimpleNamespace(batch_size=4), []

    def answer(self, requests):
        return [Reply(self._said(one)) for one in requests]

    def _said(self, request):
        row, frame = self.rows[request.sample.uid], request.sample.frame_idx
        self.asked.append((row.key, frame, request.candidate.mask_name))
        own, true = read_mask(request.candidate.mask_path), truth(self.world, row, frame)
        iou = float((own & true).sum() / (own | true).sum())
        if iou == 0:
            return render_audit(Audit("full_neg", 0.0, "reject"), row.key, "other thing")
        if iou == 1:
            return render_audit(Audit("perfect", 1.0, "accept"), row.key)
        kind = "cutout" if not (own & ~true).any() else "dilate" if iou > 0.74 else "merge"
        action = "reject" if kind == "merge" else "major revision"
        return render_audit(Audit(kind, iou, action), row.key, "other thing")


class Finder(TextSegmenter):
    """Finds the objects of keys as they are in the ground truth; of other words, nothing."""

    def __init__(self, world):
        self.world, self.asked = world, []
        self.frames = {}
        for row in rows_of(world):
            for frame in range(10):
                picture = read_upright_frame(world / "media" / row.vid / "frames" / f"{frame}.jpg")
                self.frames[picture.tobytes()] = row.vid, frame

    def __call__(self, picture, words, most=1):
        self.asked.append(words)
        vid, frame = self.frames[picture.tobytes()]
        row = next((row for row in rows_of(self.world) if row.key == words and row.vid == vid), None)
        if row is None:
            return []
        found = [truth(self.world, row, frame), truth(self.world, row, frame, other_fid(self.world, row))][:most]
        return [FoundObject(mask, mask.astype(np.float32), 0.9) for mask in found]


@pytest.fixture
def knowing(world, monkeypatch):
    """A run whose auditor and segmenter know the truth; returns the two."""
    auditor, finder = KnowsTheTruth(world), Finder(world)
    monkeypatch.setattr(improving, "load_auditor", lambda *_: (auditor, {"auditor": "knows"}))
    monkeypatch.setattr(improving, "load_text_segmenter", lambda *_, **__: finder)
    monkeypatch.setattr(improving, "check_auditor", lambda *_: None)
    monkeypatch.setattr(improving, "_weights", lambda _: [])
    return auditor, finder


def flags(world, masks, *more):
    models = ["--auditor", "none", "--segmenter", "clipseg", "--segmenter_path", "none"]
    return ["--masks", str(masks), "--data_dir", str(world), *models, "--device", "cpu", *more]


def results(masks):
    folder = masks.with_name(f"{masks.name}_repaired")
    lines = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    return json.loads((folder / "repairs.json").read_text()), {line["key"]: line for line in lines}


def test_masks_of_wrong_objects_are_made_anew(world, masks, knowing, capsys):
    assert main(flags(world, masks, "--facts", str(world / "facts.json"))) == 0
    table, lines = results(masks)
    rows = table["protocols"]["strict"]["test_s"]
    for policy in ("full_neg", "reject", "best_of", "replace", "oracle"):
        assert rows[policy]["all"]["J"]["after"] == pytest.approx(1)
        assert rows[policy]["closed"] == pytest.approx(1)
    assert rows["keep"]["all"]["J"]["after"] == rows["geometric"]["all"]["J"]["after"] == pytest.approx(0.5)
    own = rows["full_neg"]
    assert (own["samples"], own["num_repaired"], own["better"], own["worse"]) == (6, 3, 3, 0)
    assert own["repaired"]["J&F"]["before"] == 0 and own["repaired"]["J&F"]["low"] == pytest.approx(1)
    assert own["audits_per_sample"] == 1 and own["segmented_frames_per_sample"] == 5
    wrong, right = (lines[row.key] for row in rows_of(world)[:2])
    assert wrong["policies"]["full_neg"]["takes"] == "target" and wrong["key"] in wrong["policies"]["full_neg"]["why"]
    assert right["policies"]["full_neg"]["takes"] == "first" and right["verdict"]["mask_type"] == "perfect"
    printed = capsys.readouterr().out
    assert "paper: EEMC+MQ-Auditor | 56.7 | 66.0 | 61.3" in printed and "by kind of expression" in printed
    assert (masks.with_name("masks_repaired") / "full_neg.png").is_file()


def test_nothing_is_audited_or_segmented_twice(world, masks, knowing):
    auditor, finder = knowing
    assert main(flags(world, masks, "--policy", "full_neg")) == 0
    audited, segmented = len(auditor.asked), len(finder.asked)
    assert len(set(auditor.asked)) == audited and segmented == 10 * len(rows_of(world))
    assert main(flags(world, masks, "--policy", "full_neg", "reject", "--pictures", "0")) == 0
    assert (len(auditor.asked), len(finder.asked)) == (audited, segmented)
    row = rows_of(world)[0]
    shutil.copytree(masks / rows_of(world)[1].key, masks / row.key, dirs_exist_ok=True)  # another mask to repair
    assert main(flags(world, masks, "--policy", "full_neg", "reject", "--pictures", "0")) == 0
    assert {key for key, *_ in auditor.asked[audited:]} <= {row.key} and len(finder.asked) == segmented


def test_best_of_never_takes_what_the_auditor_likes_less(world, masks, knowing):
    assert main(flags(world, masks, "--frames", "5", "--rule", "worst", "--rounds", "2")) == 0
    table, lines = results(masks)
    for line in lines.values():
        expected = {one["name"]: one["expected_iou"] for one in line["candidates"]}
        assert expected[line["policies"]["best_of"]["takes"]] == max(expected.values())
        assert line["audited_frames"] == [0, 5]


def test_geometric_repairs(world, masks, knowing):
    row = rows_of(world)[1]
    for frame in range(10):
        mask = truth(world, row, frame)
        y, x = np.argwhere(mask).mean(0).astype(int)
        mask[y - 2 : y + 3, x - 2 : x + 3] = False
        (masks / row.key / f"{frame:05d}.png").write_bytes(encode_mask(mask))
    merged = rows_of(world)[3]
    for frame in range(10):
        both = truth(world, merged, frame) | truth(world, merged, frame, other_fid(world, merged))
        (masks / merged.key / f"{frame:05d}.png").write_bytes(encode_mask(both))
    assert main(flags(world, masks, "--policy", "geometric", "full_neg")) == 0
    _, lines = results(masks)
    own = lines[row.key]["policies"]["geometric"]
    assert own["takes"] in ("geometric_filled", "geometric_closed") and own["strict J"] > 0.99
    assert lines[merged.key]["policies"]["geometric"]["strict J"] > 0.9
    assert lines[merged.key]["policies"]["full_neg"]["takes"] == "first"


def test_sam2_makes_masks_that_are_too_wide_anew(world, masks, knowing, tmp_path):
    """With a SAM2 that knows nothing: its masks are audited, and are taken only if they are better."""
    row, grown = rows_of(world)[1], np.ones((3, 3), np.uint8)
    for frame in range(10):
        wide = cv2.dilate(truth(world, row, frame).astype(np.uint8), grown) > 0
        (masks / row.key / f"{frame:05d}.png").write_bytes(encode_mask(wide))
    sam2 = ["--sam2_path", str(save_sam2(tmp_path / "sam2")), "--policy", "geometric", "--pictures", "0"]
    assert main(flags(world, masks, *sam2)) == 0
    _, lines = results(masks)
    own = lines[row.key]
    assert own["verdict"]["mask_type"] == "dilate"
    made = {one["name"]: one for one in own["candidates"]}
    assert {"geometric_sam2_mask", "geometric_sam2_box"} & set(made)
    assert own["policies"]["geometric"]["takes"] == "first" and own["policies"]["geometric"]["segmented_frames"] == 20
    assert main(flags(world, masks, "--sam2_path", str(tmp_path / "none"))) == 2


def test_tiny_models_of_the_published_classes(world, masks, quick_weights_dir, tmp_path):
    parts = {"pretrained_weights_dir": str(quick_weights_dir), "lora_r": 4, "lora_alpha": 8, "device": "cpu"}
    AuditSession.from_pretrained(CKPT, **parts).bundle.save_pretrained(tmp_path / "auditor")
    more = ["--auditor", str(tmp_path / "auditor"), "--segmenter_path", str(save_clipseg(tmp_path / "clipseg"))]
    few = ["--test_name", "test_u", "--max_new_tokens", "8", "--policy", "best_of", "--pictures", "0"]
    assert main(flags(world, masks, *more, *few, "--num_workers", "0")) == 0
    table, lines = results(masks)
    assert table["protocols"]["tgs"]["test_u"]["best_of"]["samples"] == len(lines) == 4
    assert audits.audited_frames(rows_of(world)[0], None, "5") == (0, 5)


BAD = {
    "null references": (["--test_name", "test_n"], "--test_name: expected some of test_s"),
    "policy": (["--policy", "all"], "--policy: expected some of full_neg"),
    "no policy": (["--policy"], "--policy"),
    "frames": (["--frames", "some"], "--frames: expected key, all or a number, got 'some'"),
    "no frame": (["--frames", "0"], "--frames: expected key, all or a number from 1 to 10, got 0"),
    "rule": (["--rule", "mean"], "--rule"),
    "rounds": (["--rounds", "0"], "--rounds: expected a number from 1 to 10"),
    "two segmenters": (["--segmenter", "clipseg", "sam3"], "--segmenter_path: expected one folder for each"),
    "no grounder": (["--segmenter", "grounded_sam2"], "--grounder_path: expected a folder with"),
    "masks": (["--masks", "nowhere"], "masks nowhere: expected a folder"),
    "no data": (["--data_dir", "nowhere"], "nowhere: expected a folder with media and gt_mask"),
    "answers": (["--answers", "none.jsonl"], "answers none.jsonl: no such file"),
    "facts": (["--facts", "none.json"], "none.json"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_input_ends_in_a_sentence(name, world, masks, knowing, capsys):
    more, sentence = BAD[name]
    try:
        code = main(flags(world, masks, *more))
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert sentence in capsys.readouterr().err


def test_no_auditor_and_no_masks(world, masks, tmp_path, capsys, monkeypatch):
    assert main(flags(world, masks)) == 2
    assert "none" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(improving, "check_auditor", lambda *_: None)
    monkeypatch.setattr(improving, "load_auditor", lambda *_: (KnowsTheTruth(world), {}))
    monkeypatch.setattr(improving, "load_text_segmenter", lambda *_, **__: None)
    monkeypatch.setattr(improving, "_weights", lambda _: [])
    assert main(flags(world, tmp_path / "empty")) == 2
    assert "expected masks such as" in capsys.readouterr().err


def test_what_is_scored_is_read_once(world, masks, knowing, monkeypatch):
    """Each truth once for a protocol; each candidate once, and again only where a reference alone takes it."""
    truths, candidates = Counter(), Counter()
    readers, read = mask_scoring.TRUTH_READERS, CandidateStore.read

    def counting(protocol):
        def reader(path):
            truths[protocol, path] += 1
            return readers[protocol](path)

        return reader

    def counted(store, key, candidate):
        candidates[key, candidate.name] += 1
        return read(store, key, candidate)

    assert main(flags(world, masks, "--pictures", "0")) == 0  # all candidates are made
    monkeypatch.setattr(mask_scoring, "TRUTH_READERS", {name: counting(name) for name in readers})
    monkeypatch.setattr(CandidateStore, "read", counted)
    assert main(flags(world, masks, "--pictures", "0")) == 0
    assert len(truths) == 2 * 10 * len(rows_of(world)) and set(truths.values()) == {1}
    _, lines = results(masks)
    for (key, name), times in candidates.items():
        takers = [policy for policy, own in lines[key]["policies"].items() if own["takes"] == name]
        assert times == (2 if takers and set(takers) <= {"replace", "random", "oracle"} else 1)
