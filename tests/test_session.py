"""AuditSession: paths and arrays, one mask and many, files that change, what is read once, and its errors."""

import gc
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from dataset.media.images import read_mask
from scripts import audit as program
from scripts.clips import store
from scripts.session import AuditSession, ClipRequest
from tests.conftest import BENCHMARK, GOLDEN, golden_json
from tests.test_clip import encode

CKPT = GOLDEN / "weights/ckpt"
MASKS = BENCHMARK / "masks/test_s/tC3_0_2"
ROOT = Path(__file__).parent.parent
NAMES = ("gt", "merge_1", "dilate_1", "erode_1")


@pytest.fixture(scope="module")
def golden_clip(tmp_path_factory):
    """The golden clip in a folder of its own: other tests may change these files."""
    folder = tmp_path_factory.mktemp("clip")
    shutil.copytree(BENCHMARK / "media/tC3", folder / "tC3", copy_function=shutil.copyfile)
    return folder / "tC3"


@pytest.fixture
def clip(golden_clip):
    """The golden clip as paths."""
    return {
        "frames": golden_clip / "frames",
        "audio": golden_clip / "audio.wav",
        "frame": 6,
        "expression": "The piano played by the man in Blue",
    }


def as_arrays(clip: dict) -> dict:
    frames = np.stack([np.asarray(Image.open(path)) for path in sorted(clip["frames"].iterdir())])
    return {**clip, "frames": frames, "audio": soundfile.read(clip["audio"], dtype="float32")}


@pytest.fixture(scope="module")
def golden_session(released):
    return AuditSession(released)


@pytest.fixture(scope="module")
def session(quick_weights_dir, tmp_path_factory):
    """Loaded from our own folder, outside of the repository."""
    folder = tmp_path_factory.mktemp("auditors") / "MQ-Auditor"
    parts = {"pretrained_weights_dir": str(quick_weights_dir), "lora_r": 4, "lora_alpha": 8, "device": "cpu"}
    AuditSession.from_pretrained(CKPT, **parts).bundle.save_pretrained(folder)
    return AuditSession.from_pretrained(folder, device="cpu", max_new_tokens=12)


def test_the_example_of_the_readme(session, tmp_path, monkeypatch):
    section = (ROOT / "README.md").read_text().partition("\n## Python\n")[2].partition("\n## ")[0]
    example = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    session.bundle.save_pretrained(tmp_path / "checkpoints/MQ-Auditor")
    encode(tmp_path / "clip.mp4", codecs=("mpeg4", "aac"))
    Image.fromarray(np.tri(48, 64, dtype=bool)).save(tmp_path / "mask.png")
    np.save(tmp_path / "masks.npy", np.stack([np.tri(48, 64, k, dtype=bool) for k in (0, 9)]))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)
    assert names["results"][0] == names["result"]  # the same mask as a file and as an array
    assert len(names["results"]) == 2 and names["best"] in (0, 1)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "clip.mp4", "mask.png", "masks.npy"}


@pytest.mark.parametrize("folder", [".", "/"])
def test_a_fresh_interpreter_finds_it_from_any_folder(tmp_path, folder):
    """As a .pth file in site-packages does it (see `scripts/setup.sh`)."""
    (tmp_path / "mq_auditor.pth").write_text(f"{ROOT}\n")
    code = f"import site; site.addsitedir({str(tmp_path)!r}); import scripts.session as s; print(s.__file__)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path / folder, capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.returncode) == (str(ROOT / "scripts/session.py"), 0), done.stderr


@pytest.fixture
def seen(session, monkeypatch):
    """The numbers of images that the vision encoder is shown, one for each time."""
    counts, real = [], session.bundle.auditor.encode_images
    monkeypatch.setattr(session.bundle.auditor, "encode_images", lambda px: counts.append(len(px)) or real(px))
    session.answerer.recent.forget()
    return counts


def test_the_answer_equals_the_references(golden_session, clip):
    golden = golden_json("06_generation.json")["samples"][0]
    result = golden_session.audit(mask=MASKS / "gt.png", **clip)
    assert result.generated_ids == golden["ids_max256"][1:]  # the reference's list begins with BOS
    assert (result.mask_type, result.iou, result.action) == ("full_neg", 0.0, "reject")
    assert result.text.startswith("The object is piano. The mask is on another object.")
    assert result.raw_output.endswith("</s>") and "<" not in result.text


def test_arrays_give_the_same_as_files(golden_session, clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    of_files = golden_session.audit(mask=str(MASKS / "merge_1.png"), **clip)
    assert golden_session.audit(mask=read_mask(MASKS / "merge_1.png"), **as_arrays(clip)) == of_files
    assert not list(tmp_path.iterdir())


def test_integer_samples_are_scaled(clip):
    samples, rate = soundfile.read(clip["audio"], dtype="int16")
    request = ClipRequest(mask=MASKS / "gt.png", **{**clip, "audio": (samples, rate)})
    np.testing.assert_array_equal(request.audio[0], soundfile.read(clip["audio"], dtype="float32")[0])


def test_many_masks_equal_each_alone_and_share_their_clip(session, clip, tmp_path, seen):
    encode(tmp_path / "clip.mkv", seconds=4)
    other = {"video": tmp_path / "clip.mkv", "frame": 3, "expression": "a grey wall"}
    requests = [ClipRequest(mask=MASKS / f"{name}.png", **clip) for name in NAMES]
    requests.insert(1, ClipRequest(mask=np.tri(48, 64, dtype=bool), **other))
    requests.append(ClipRequest(mask=MASKS / "gt.png", **{**clip, "frame": 2, "expression": "another"}))
    together = session.audit_many(requests)
    views = 2 * len(requests)
    assert sum(seen) == 10 + 10 + views  # frames of both clips, and two views of each mask
    alone = [session.audit(**vars(request)) for request in requests]
    assert sum(seen) == 20 + 2 * views  # only the masks are looked at again
    assert together == alone
    assert session.audit_many([]) == []


def test_masks_of_one_frame_share_a_prompt_in_every_batch(session, clip, seen, monkeypatch):
    rows, real = [], session.answerer.write

    def write(auditor, tokenizer, batch, *more):
        rows.append(batch["rows"])
        return real(auditor, tokenizer, batch, *more)

    monkeypatch.setattr(session.answerer, "write", write)
    monkeypatch.setattr(session.args, "batch_size", 2)
    session.audit_many([ClipRequest(mask=MASKS / f"{name}.png", **clip) for name in NAMES])
    assert [len(row["input_ids"]) for row in rows] == [1, 1]
    assert seen == [10 + 4, 4]


def test_a_file_that_is_written_again_is_read_again(session, clip, golden_clip, tmp_path, seen):
    mask = shutil.copyfile(MASKS / "gt.png", tmp_path / "mask.png")
    frames = shutil.copytree(golden_clip / "frames", tmp_path / "frames", copy_function=shutil.copyfile)
    mine = {**clip, "frames": frames, "mask": mask}
    before = session.audit(**mine)
    shutil.copyfile(MASKS / "merge_1.png", mask)
    after = session.audit(**mine)
    assert after == session.audit(**{**clip, "mask": MASKS / "merge_1.png"})
    Image.new("RGB", (96, 64), "red").save(frames / sorted(frames.iterdir())[0].name)
    seen.clear()
    session.audit(**mine)
    assert sum(seen) == 12
    assert before.generated_ids


def test_temporary_files_are_few_and_are_removed(released, tmp_path, monkeypatch):
    monkeypatch.setattr(store.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(store, "MOST_CLIPS", 2)
    clips, namer = store.ClipStore(), store.ClipNames()
    for grey in range(3):
        frames = np.full((10, 4, 6, 3), grey, np.uint8)
        sound = (np.zeros(160_000, np.float32), 16_000)
        request = ClipRequest(expression="a", mask=np.ones((4, 6), bool), frame=0, frames=frames, audio=sound)
        found = clips.find(request, namer.name(request))
        assert (np.asarray(Image.open(found.frame_paths[9])) == grey).all()
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.iterdir())) == 2
    del clips
    gc.collect()
    assert not list(tmp_path.iterdir())


ARRAYS = {
    "mask": (np.zeros((4, 4), np.uint8), r"mask: expected \(H, W\) bool, got \(4, 4\) uint8"),
    "frames": (np.zeros((9, 4, 4, 3), np.uint8), r"frames: expected \(10, H, W, 3\) uint8, got \(9, 4, 4, 3\) uint8"),
    "audio": ((np.zeros((5, 2)), 16_000), r"audio: expected samples \(n,\) of float32, .*, got \(5, 2\) float64"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_other_arrays_are_refused(clip, name):
    value, sentence = ARRAYS[name]
    with pytest.raises(ValueError, match=sentence):
        ClipRequest(**{"mask": MASKS / "gt.png", **clip, name: value})


@pytest.mark.parametrize(
    ("audio", "sentence"),
    [
        (np.zeros(5), "expected a path, or samples"),
        ((np.full(9, np.nan), 16_000), "audio: expected finite samples"),
        ((np.zeros(9), 0), "audio: expected from 4,000 to 768,000 samples a second, got 0"),
    ],
)
def test_other_sounds_are_refused(clip, audio, sentence):
    with pytest.raises(ValueError, match=sentence):
        ClipRequest(**{"mask": MASKS / "gt.png", **clip, "audio": audio})


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": None},
        {"video": "clip.mp4"},
        {"audio": None},
        {"frame": 10},
        {"expression": "  "},
        {"expression": "a <MASK> and </iou>"},
        {"mask": "absent.png"},
        {"mask": BENCHMARK / "media/tC3/audio.wav"},
        {"frames": BENCHMARK},
        {"frames": "absent"},
        {"audio": MASKS / "gt.png"},
        {"audio": "absent.wav"},
        {"frames": None, "video": MASKS / "gt.png", "audio": None},
        {"frames": None, "video": "absent.mp4"},
    ],
)
def test_errors_have_the_sentences_of_the_command_line(session, clip, quick_weights_dir, tmp_path, capsys, changes):
    request = {"mask": MASKS / "gt.png", **clip, **changes}
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        session.audit(**request)
    more = {"auditor": CKPT, "pretrained_weights_dir": quick_weights_dir, "output": tmp_path / "out"}
    given = {name: str(value) for name, value in (request | more).items() if value is not None}
    flags = [part for name, value in given.items() for part in (f"--{name}", value)]
    try:
        code = program.main(flags)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 2
    assert said.removesuffix(" (see --help)") == f"audit: {error.value}"


def test_errors_of_the_auditor(quick_weights_dir):
    with pytest.raises(FileNotFoundError, match="auditor absent: no such folder"):
        AuditSession.from_pretrained("absent")
    with pytest.raises(ValueError, match="--device: expected cpu or cuda:N, got 'abacus'"):
        AuditSession.from_pretrained(CKPT, device="abacus")
    with pytest.raises(TypeError, match="expected settings of ModelArguments or AnsweringArguments, got colour"):
        AuditSession.from_pretrained(CKPT, colour="red")


def test_a_broken_frame_is_named(session, clip, golden_clip, tmp_path):
    frames = shutil.copytree(golden_clip / "frames", tmp_path / "frames", copy_function=shutil.copyfile)
    broken = sorted(frames.iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(ValueError, match=f"{broken.name}: expected an image, got a file that cannot be decoded"):
        session.audit(**{**clip, "frames": frames, "mask": MASKS / "gt.png"})
