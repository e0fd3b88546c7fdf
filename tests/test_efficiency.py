"""The measurement of speed: every way gives the same answers, and the table says when one does not."""

import json

import pytest
import torch
from transformers import CLIPVisionModel

from dataset.benchmark.annotations import read_test
from models.encoders.tower import PUBLISHED_FEATURE_LAYER
from models.weights.bundle import AuditorBundle
from scripts.speed import growth
from scripts.speed.audits import compare
from scripts.speed.limits import Machine, Need, flops_of, passes_of
from scripts.speed.material import masks_of_prompts
from scripts.speed.meter import Meter, peak_memory
from scripts.speed.rows import Row, render, save
from scripts.speed.sizes import Rig, make_rig
from scripts.speed.steering import FREE, Steering, scripted_answers
from scripts.speed.ways import WAYS, make_work
from tests.conftest import BENCHMARK, GOLDEN, golden_json
from utils.audit import parse_audit

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def golden_rig(released, weights_dir):
    whole = CLIPVisionModel.from_pretrained(weights_dir / "clip-vit-large-patch14", dtype=torch.float32)
    return Rig("golden", released.auditor, released.tokenizer, released.pixels, whole.eval(), PUBLISHED_FEATURE_LAYER)


def test_the_published_way_gives_the_golden_answers(golden_rig):
    row = next(row for row in golden_json("06_generation.json")["samples"] if row["eval_mode"] == "image")
    benchmark = read_test(BENCHMARK, "test_s", "image")
    pair = benchmark.requests()[row["dataset_index"]]
    work = make_work(golden_rig, benchmark.samples, [pair], None)
    assert WAYS["published way"](work) == [row["ids_max256"][1:]]


@pytest.mark.parametrize("name", ["mini", "golden"])
def test_auditors_of_the_small_sizes(name):
    rig = make_rig(name, CPU, torch.float32)
    assert rig.whole_tower.config.num_hidden_layers >= rig.feature_layer > 0
    assert not any(parameter.requires_grad for parameter in rig.auditor.parameters())


@pytest.fixture(scope="module")
def steered(quick_args):
    """Work of three masks for an auditor that writes no audits by itself."""
    bundle = AuditorBundle.from_pretrained(GOLDEN / "weights" / "ckpt", quick_args)
    auditor, tokenizer = bundle.auditor, bundle.tokenizer
    tower = auditor.vision_encoder.tower
    rig = Rig("quick", auditor, tokenizer, bundle.pixels, tower, len(tower.encoder.layers))
    benchmark = read_test(BENCHMARK, "test_s", "image")
    scripts = scripted_answers(tokenizer, auditor.stop_ids()[0])
    return make_work(rig, benchmark.samples, benchmark.requests()[:2] + benchmark.requests()[-1:], scripts)


def test_every_way_gives_the_same_answers(steered):
    answers = {name: way(steered) for name, way in WAYS.items()}
    for name, own in answers.items():
        assert own == answers["published way"], name
    for script, said in zip(steered.steering.answers, answers["+ drafts"], strict=False):
        assert len(said) == len(script)
        assert all(token in (own, FREE) for token, own in zip(script, said, strict=True))


def test_masks_of_a_prompt_are_different_masks():
    """A mask that came twice would be encoded once, and the ratio would flatter."""
    benchmark, pairs = masks_of_prompts(BENCHMARK, "image", 13)
    assert len(set(pairs)) == len(pairs) > 5
    assert len({benchmark.samples[sample].uid for sample, _ in pairs}) == 1


def test_scripts_are_audits_with_free_slots(steered):
    tokenizer = steered.rig.tokenizer
    for script in steered.steering.answers:
        assert FREE in script and script.count(FREE) < len(script) / 2
        text = tokenizer.decode([token for token in script if token != FREE])
        audit = parse_audit(text)
        assert audit.mask_type and audit.action


def test_steering_leaves_slots_free_but_for_the_end():
    steering = Steering([[4, FREE, 2]])
    logits = torch.tensor([[0.0, 1, 9, 3, 0], [0.0, 1, 9, 3, 0], [0.0, 1, 9, 3, 0]])
    assert steering(logits, [(1, 0), (1, 1), (1, 2)]).argmax(-1).tolist() == [4, 3, 2]


def test_answers_are_compared_where_the_published_way_was_decided():
    expected, decided = [[1, 2, 3], [1, 2, 3]], [[1.0, 1e-6, 1.0], [1.0, 1.0, 1.0]].__getitem__
    assert compare(expected, [[1, 2, 3], [1, 2, 3]], decided) == (True, 0)
    assert compare(expected, [[1, 5, 5], [1, 2, 3]], decided) == (True, 1)
    assert compare(expected, [[1, 2, 3], [1, 5, 3]], decided) == (False, 0)
    assert compare(expected, [[1, 2, 3], [1, 2]], decided) == (False, 0)


def test_the_limit_counts_products_and_weights():
    assert flops_of(torch.nn.Linear(8, 4, bias=False), torch.ones(3, 8)) == 2 * 3 * 8 * 4
    need = Need(encoder_flops=100, prompt_tokens=10, answer_tokens=5, passes=3, language_flops=10, language_bytes=50)
    assert need.seconds(Machine(flops=100, bytes=1e9)) == pytest.approx(1 + 1 + 0.5)
    assert need.seconds(Machine(flops=100, bytes=100)) == pytest.approx(1 + 1 + 1.5)
    assert passes_of([7, 7, FREE, FREE, 7, 7]) == 4


def test_memory_and_parts_are_measured():
    for _ in range(2):  # also what an allocator has kept from before
        with peak_memory(CPU) as found:
            held = [torch.ones(50_000) for _ in range(500)]
        assert 80 < found["megabytes"] < 160 and held.pop().sum() == 50_000
        del held
    meter = Meter(CPU)
    with meter.part("data"):
        torch.ones(10).sum()
    assert meter.seconds["data"] > 0


def test_the_table_names_what_differs(tmp_path):
    rows = [
        Row("audit", "mini", 13, "published way", 2.0, 1.0, 10, True),
        Row("audit", "mini", 13, "+ drafts", 20.0, 10.0, 20, False, of_limit=0.5, seconds={"decode": 0.01}),
    ]
    save(rows, tmp_path, {"date": "today"})
    assert " NO" in render(rows) and " yes" in render(rows)
    saved = json.loads((tmp_path / "summary.json").read_text())
    assert [row["step"] for row in saved] == ["published way", "+ drafts"]
    assert saved[1]["ratio"] == 10.0 and saved[1]["identical"] is False


def test_growth_is_measured_and_drawn(steered, tmp_path, monkeypatch):
    for name, value in (("MASKS_PER_CLIP", (1, 3)), ("CLIPS", (3, 40)), ("ANSWERED_FOR_REAL", 3)):
        monkeypatch.setattr(growth, name, value)
    rows = [*growth.over_masks(steered), *growth.over_clips(steered, tmp_path)]
    assert [(row.work, row.masks_per_prefix, row.step) for row in rows] == [
        ("growth: masks", 1, "ours"),
        ("growth: masks", 3, "ours"),
        ("growth: clips", 1, "3 clips"),
        ("growth: clips", 1, "40 clips"),
    ]
    assert all(row.masks_per_s > 0 for row in rows)
    growth.plot(rows, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["growth.png"]  # no work file is left
