"""A build whose key frames and wrong objects come from models: the published chain with tiny random weights."""

import json

import numpy as np
import pytest

from configs.construction import BuildArguments
from dataset.benchmark.annotations import read_test
from dataset.media.images import read_mask
from models.segmenting import chain
from models.segmenting.boxes import Box
from models.segmenting.chain import ObjectChain
from models.segmenting.name import NamerReply
from models.segmenting.segment import load_segmenter
from scripts.benchmark.build import build
from scripts.segment import frames
from tests.object_models import save_grounding_dino, save_owlv2, save_qwen, save_sam2
from tests.scenes import write_source


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    save = {"namer": save_qwen, "grounder": save_grounding_dino, "segmenter": save_sam2, "detector": save_owlv2}
    return {f"{name}_path": str(write(root / name)) for name, write in save.items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("source"))


def arguments(source, output, folders):
    return BuildArguments(
        source_dir=str(source),
        output_dir=str(output),
        key_frame="detector",
        negatives="models",
        device="cpu",
        num_workers=1,
        video_mode_test_s=0,
        video_mode_test_u=0,
        **folders,
    )


@pytest.fixture
def short_answers(monkeypatch):
    """Random weights do not come to an end by themselves."""
    call = chain.load_qwen

    def load(*args):
        qwen = call(*args)
        return lambda image, question, **settings: qwen(image, question, max_new_tokens=8)

    monkeypatch.setattr(chain, "load_qwen", load)


def test_the_published_chain_end_to_end(source, folders, tmp_path, short_answers):
    """What random weights say cannot be read: no wrong object, and the report says so for every frame."""
    build(arguments(source, tmp_path / "out", folders))
    report = json.loads((tmp_path / "out/build_report.json").read_text())
    assert {name: len(frames) for name, frames in report["negatives"].items()} == {"the reply could not be read": 10}
    assert len(report["frames_without_negatives"]) == 10
    masks = [c for s in read_test(tmp_path / "out", "test_s", "image").samples for c in s.candidates]
    assert {c.audit.mask_type for c in masks} == {"perfect", "cutout", "dilate", "erode"}


class RecordedNamer:
    def __init__(self, *names):
        self.names, self.calls = list(names), 0

    def __call__(self, image, target_object):
        self.calls += 1
        return NamerReply(self.names, json.dumps(self.names), parsed=True)


def test_a_recorded_reply_becomes_masks(source, folders, tmp_path, monkeypatch):
    """A namer that finds words, boxes where the discs are, and the tiny SAM2 in between."""
    boxes = [Box("green disc", (10.0, 10.0, 60.0, 60.0)), Box("blue disc", (50.0, 20.0, 120.0, 90.0))]
    namer = RecordedNamer("green disc", "blue disc")
    stand_in = ObjectChain(namer, lambda *_: boxes, load_segmenter(folders["segmenter_path"]))
    monkeypatch.setattr(frames, "load_chain", lambda *_: stand_in)
    with monkeypatch.context() as cut_off, pytest.raises(ZeroDivisionError):
        cut_off.setattr("scripts.benchmark.build.write_splits", lambda *_: 1 / 0)
        build(arguments(source, tmp_path / "out", folders))
    asked = namer.calls
    build(arguments(source, tmp_path / "out", folders))
    assert asked == namer.calls == 10
    wrong = [
        c
        for s in read_test(tmp_path / "out", "test_s", "image").samples
        for c in s.candidates
        if c.audit.mask_type == "full_neg"
    ]
    assert wrong and all("disc, instead of the" in c.response for c in wrong)
    assert all(read_mask(c.mask_path).sum() >= 30 for c in wrong)
    again = BuildArguments(
        source_dir=str(source),
        output_dir=str(tmp_path / "again"),
        negatives="file",
        num_workers=1,
        negatives_file=str(tmp_path / "out/negatives.jsonl"),
        key_frame="detector",
        device="cpu",
        detector_path=folders["detector_path"],
        video_mode_test_s=0,
        video_mode_test_u=0,
    )
    build(again)
    for path in (tmp_path / "out/masks").rglob("*.png"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "out")).read_bytes()


@pytest.mark.parametrize(
    ("names", "boxes", "reason"), [((), [], "no object named"), (("cat",), [], "no named object found")]
)
def test_why_a_frame_has_no_wrong_object(names, boxes, reason):
    image = np.zeros((40, 60, 3), np.uint8)
    assert ObjectChain(RecordedNamer(*names), lambda *_: boxes, None).find_others(image, "dog") == ([], reason)
