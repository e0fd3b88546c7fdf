"""Records whose scores are known by hand, and how results are compared with the reference's files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def record(uid, mask_type, iou, action, said_type=None, said_iou=None, said_action=None, **more):
    """A record whose answer says the given things, and nothing where they are None."""
    said = {"mask_type": said_type, "iou": said_iou, "action": said_action}
    text = " ".join(f"<{tag}> {value} </{tag}>" for tag, value in said.items() if value is not None)
    return {"uid": uid, "mask_type": mask_type, "iou_to_gt": iou, "action": action, "raw_output": text, **more}


FOUR = [
    record("a", "perfect", 1.0, "accept", "perfect", 0.9, "accept"),
    record("b", "cutout", 0.8, "minor revision", "cutout", 0.6, "minor revision"),
    record("b", "cutout", 0.5, "major revision", "erode", None, "minor revision"),
    record("c", "erode", 0.7, "minor revision", "erode", 0.7, "minor revision"),
]


def ranked():
    """Six records of two videos, with ranks."""
    return [
        record("a", "perfect", 1.0, "accept", "perfect", 0.9, "accept"),
        record("a", "cutout", 0.9, "minor revision", "cutout", 0.8, "minor revision", rank=1),
        record("a", "cutout", 0.7, "major revision", "erode", 0.4, "major revision", rank=2),
        record("a", "merge", 0.8, "minor revision", "merge", 0.8, "minor revision", rank=1),
        record("b", "merge", 0.2, "reject", "merge", 0.6, "accept", rank=2),
        record("b", "null", 0.0, "reject", "null", 0.0, "reject", rank=1),
    ]


def load(path):
    return json.loads(path.read_text())


def load_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def renamed(value, inside=""):
    """Golden value with every F2 called f2; the micro figures are true F1s and keep their name."""
    if isinstance(value, dict):
        return {"f2" if k == "f1" and "micro" not in inside else k: renamed(v, k) for k, v in value.items()}
    return [renamed(item, inside) for item in value] if isinstance(value, list) else value


def assert_contains(ours, golden, where=""):
    """Every golden key and number is ours too (1e-9); ours may hold more keys."""
    if isinstance(golden, dict):
        missing = golden.keys() - ours.keys()
        assert not missing, f"{where}: missing {missing}"
        for key in golden:
            assert_contains(ours[key], golden[key], f"{where}/{key}")
    elif isinstance(golden, list):
        assert len(ours) == len(golden), where
        for i, (our, gold) in enumerate(zip(ours, golden, strict=True)):
            assert_contains(our, gold, f"{where}[{i}]")
    elif isinstance(golden, float):
        assert ours == pytest.approx(golden, abs=1e-9, rel=0), where
    else:
        assert (type(ours), ours) == (type(golden), golden), where


def run_score(*arguments):
    command = [sys.executable, "-m", "scripts.evaluate.score", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
