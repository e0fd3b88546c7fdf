"""The procedural world: the same from the same seed, its expressions true of one object only, and not to be guessed."""

import json
from collections import Counter
from contextlib import nullcontext

import numpy as np
import pytest

from configs.construction import BuildArguments
from dataset.benchmark.annotations import read_test, read_train
from dataset.construction.referrals import read_referrals
from dataset.media.lengths import NUM_FRAMES
from dataset.verification.benchmark import verify_benchmark
from dataset.world.reference import KINDS, references
from dataset.world.render import render
from dataset.world.silhouettes import SEEN, UNSEEN
from dataset.world.world import World
from scripts.benchmark.build import build
from scripts.benchmark.draw_world import main

PARTS = {"train": 400, "validation": 60, "test_s": 60, "test_u": 60}


def draw(output, *flags):
    sizes = ("--num_train", "5", "--num_test_s", "5", "--num_test_u", "5", "--num_workers", "1")
    return main(["--output", str(output), *sizes, *flags])


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("world") / "world"
    assert draw(root) == 0
    return root


@pytest.fixture(scope="module")
def asked():
    """part -> (scene, its references) of every video of a world of the default size."""
    return {part: [World(0).scene(part, number)[:2] for number in range(count)] for part, count in PARTS.items()}


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_same_seed_same_bytes(source, tmp_path):
    assert draw(tmp_path / "again") == 0 and draw(tmp_path / "other", "--seed", "1") == 0
    first, other = files(source), files(tmp_path / "other")
    assert files(tmp_path / "again") == first
    assert first["world.png"] != other["world.png"]
    pictures = [name for name in first if name.endswith("0.jpg")]
    assert len(pictures) == 15 and all(first[name] != other[name] for name in pictures)


def test_a_video_does_not_depend_on_the_others():
    late = World(3).video("test_s", 7)
    World(3).video("test_s", 6)
    again = World(3).video("test_s", 7)
    assert again.referrals == late.referrals and again.facts == late.facts
    np.testing.assert_array_equal(again.video.frames, late.video.frames)


def test_each_kind_has_its_share_of_every_part(asked):
    for part, videos in asked.items():
        kinds = Counter(reference.kind for _, references in videos for reference in references)
        assert set(kinds) == set(KINDS)
        assert min(kinds.values()) >= 0.15 * kinds.total(), part
        assert kinds.total() == len(videos) * (1 if part == "train" else 2)


def test_categories_of_the_unseen_part_are_its_own(asked):
    categories = {
        part: {t.look.category for scene, _ in videos for t in scene.things} for part, videos in asked.items()
    }
    assert categories["train"] == categories["test_s"] == set(SEEN) and categories["test_u"] == set(UNSEEN)
    for scene, answers in asked["test_u"]:
        for reference in answers:  # a noun that training has not used may be said, but is never needed
            colours = [thing.look.colour for thing in scene.things]
            assert reference.category is None or colours.count(reference.colour) == 1


def test_expressions_are_true_of_the_target_only(source):
    """Measured again from the facts that are written beside the pictures, by rules of this test's own."""
    checked = Counter()
    for video in json.loads((source / "facts.json").read_text())["videos"].values():
        for referral in video["referrals"].values():
            objects, fid = video["objects"], referral["fid"]
            true_of = [i for i, thing in enumerate(objects) if _holds(referral, thing, objects, video["key_frame"])]
            assert true_of == [fid], referral["expression"]
            checked[referral["kind"]] += 1
    assert len(checked) == 5 and checked.total() == 25


def _holds(referral, thing, objects, key_frame):
    facet, told = referral["facet"], referral["told"]
    if any(thing[name] != value for name, value in told.items()):
        return False
    rivals = [other for other in objects if all(other[name] == value for name, value in told.items())]
    if referral["kind"] == "appearance":
        return True
    if referral["kind"] in ("position", "size"):
        measures = {
            "left": lambda o: -o["centres"][key_frame][0],
            "right": lambda o: o["centres"][key_frame][0],
            "top": lambda o: -o["centres"][key_frame][1],
            "bottom": lambda o: o["centres"][key_frame][1],
            "largest": lambda o: o["areas"][key_frame],
            "smallest": lambda o: -o["areas"][key_frame],
        }
        return measures[facet](thing) == max(map(measures[facet], rivals))
    if referral["kind"] == "motion":
        return _moves(thing, facet, rivals)
    return _sounds(thing["sound"], facet, [other["sound"] for other in rivals if other["sound"]])


def _path(thing):
    return np.subtract(thing["centres"][-1], thing["centres"][0])


def _moves(thing, facet, rivals):
    (dx, dy), area = _path(thing), thing["areas"][-1] / thing["areas"][0]
    spin = abs(thing["angles"][-1] - thing["angles"][0])
    return {
        "left": -dx > 2 * abs(dy) and dx < -20,
        "right": dx > 2 * abs(dy) and dx > 20,
        "up": -dy > 2 * abs(dx) and dy < -20,
        "down": dy > 2 * abs(dx) and dy > 20,
        "spinning": spin > 1,
        "growing": area > 1.3,
        "shrinking": area < 0.75,
        "still": abs(dx) + abs(dy) + spin < 1e-6 and 0.99 < area < 1.01,
        "fastest": np.hypot(dx, dy) == max(np.hypot(*_path(other)) for other in rivals),
    }[facet]


def _sounds(sound, facet, heard):
    if facet == "silent" or sound is None:
        return facet == "silent" and sound is None
    return {
        "only": len(heard) == 1,
        "low": sound["pitch_hz"] < 400,
        "high": sound["pitch_hz"] > 700,
        "loud": sound["loudness"] == "loud",
        "soft": sound["loudness"] == "soft",
        "first": sound["onset"] == min(other["onset"] for other in heard),
        "last": sound["onset"] == max(other["onset"] for other in heard),
    }[facet]


@pytest.mark.parametrize("kind", ["motion", "sound"])
def test_motion_and_sound_cannot_be_told_from_the_key_frame(asked, kind):
    """Handed round among the objects, motions (or sounds) leave the key frame as it is and make each object the target
    once: whoever sees the key frame only is right by chance. Sounds leave all ten frames as they are.
    """
    num_rendered = 0
    for videos in asked.values():
        for scene, answers in videos:
            reference = next((r for r in answers if r.kind == kind), None)
            if reference is None:
                continue
            count, targets = len(scene.things), []
            for turn in range(count):
                turned = scene.handed_round(**{f"{kind}s": turn})
                (found,) = references(turned, kind, reference.facet)
                targets.append(found.target)
            assert sorted(targets) == list(range(count))
            if num_rendered < 6:
                seen, turned = render(scene).frames, render(scene.handed_round(**{f"{kind}s": 1})).frames
                for t in range(NUM_FRAMES) if kind == "sound" else [scene.key_frame]:
                    np.testing.assert_array_equal(seen[t], turned[t])
                num_rendered += 1
    assert num_rendered == 6


def test_motions_change_the_other_frames_and_sounds_the_sound():
    scene = next(
        scene for scene, (r, *_), _ in (World(0).scene("train", n) for n in range(3, 40, 5)) if r.facet == "up"
    )
    moved = render(scene.handed_round(motions=1))
    assert all(
        not np.array_equal(a, b)
        for t, (a, b) in enumerate(zip(render(scene).frames, moved.frames, strict=True))
        if t != scene.key_frame
    )
    np.testing.assert_array_equal(moved.waveform, render(scene).waveform)
    sounding = next(
        s for s, _, _ in (World(0).scene("train", n) for n in range(4, 99, 5)) if any(t.sound for t in s.things)
    )
    assert not np.array_equal(render(sounding).waveform, render(sounding.handed_round(sounds=1)).waveform)


def test_masks_are_disjoint_and_inside_the_frame():
    for number in range(4):
        drawn = render(World(5).scene("test_u", number)[0])
        for t in range(NUM_FRAMES):
            masks = np.array([masks[t] for masks in drawn.masks])
            assert masks.sum(axis=0).max() == 1 and masks.any(axis=(1, 2)).all()
            assert not masks[:, [0, -1]].any() and not masks[:, :, [0, -1]].any()


def test_a_benchmark_built_from_it_has_nothing_wrong(source, tmp_path):
    root = tmp_path / "MQ-RAVSBench"
    sizes = {"video_mode_test_s": 1, "video_mode_test_u": 1, "num_workers": 1}
    build(BuildArguments(source_dir=str(source), output_dir=str(root), key_frame="given", **sizes))
    assert not verify_benchmark(root, 1).findings
    samples = [*read_train(root).samples, *read_test(root, "test_s", "image").samples]
    assert {c.audit.mask_type for s in samples for c in s.candidates} == {
        "perfect",
        "cutout",
        "dilate",
        "erode",
        "merge",
        "full_neg",
    }
    given = {r.uid: r.kfid for r in read_referrals(source / "metadata.csv").referrals}
    assert all(int(sample.frame_path.stem) == given[sample.uid] for sample in samples)


def test_wrong_input_ends_in_a_sentence(source, tmp_path, capsys):
    for flags, expected in (
        (("--output", str(source)), "expected a new folder or the world"),
        (("--output", str(tmp_path / "a"), "--num_workers", "0"), "--num_workers: expected at least 1"),
        (("--output", str(tmp_path / "a"), "--num_train", "-1"), "expected 0 or more"),
        (("--output", str(tmp_path / "a"), "--num_validation", "3"), "expected a world of its own"),
    ):
        with pytest.raises(SystemExit) if "expected a new folder" not in expected else nullcontext():
            assert main(list(flags)) == 2
        assert expected in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    assert main(["--output", str(tmp_path / "full")]) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err
    assert draw(source) == 0  # there already: nothing is done
