"""Every program answers --help without the large libraries, and begins with what it requires."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "scripts").rglob("*.py")
    if 'if __name__ == "__main__":' in path.read_text()
)
REQUIRED = {
    "scripts.benchmark.describe": ("ROOT",),
    "scripts.benchmark.draw_world": ("--output",),
    "scripts.benchmark.import_masks": ("--output",),
    "scripts.benchmark.verify": ("ROOT",),
    "scripts.evaluate.calibrate": ("RUN", "--auditor"),
    "scripts.evaluate.tell_unlike": ("--auditor", "--like", "--unlike"),
    "scripts.evaluate.score": ("RECORDS.jsonl", "--output"),
    "scripts.finetune.convert": ("--source", "--target"),
    "scripts.think.make_tuning_set": ("--data_dir", "--output_dir"),
    "scripts.segment.run": ("--data_dir", "--output_dir", "--segmenter_path"),
    "scripts.segment.score": ("MASKS", "--data_dir"),
    "scripts.segment.improve": ("--masks", "--auditor", "--data_dir", "--segmenter_path"),
    "scripts.worklist": ("results", "--output"),
    "scripts.pretrain.mini.grounding": ("weights", "work"),
    "scripts.pretrain.mini.parts": ("weights", "work"),
    "scripts.pretrain.pretrain_projector": ("--modality", "--captions", "--media_dir"),
}
RUN = """
import runpy, sys
sys.argv = [{program!r}, "--help"]
try:
    runpy.run_module({program!r}, run_name="__main__")
finally:
    print(*sorted({{"torch", "transformers"}} & set(sys.modules)), file=sys.stderr)
"""


def test_programs_are_found():
    assert {*REQUIRED, "scripts.evaluate.run", "scripts.finetune.score"} <= {*PROGRAMS}


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_answers_without_torch_and_begins_with_what_is_required(program):
    command = [sys.executable, "-c", RUN.format(program=program)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    if program in REQUIRED:
        group = done.stdout.partition("\nrequired:\n")[2].partition("\n\n")[0]
        assert all(f"\n  {name}" in f"\n{group}" for name in REQUIRED[program])
        assert done.stdout.index("\nrequired:\n") < done.stdout.index("\nhelp:\n")


def test_help_all_of_the_training_lists_the_flags_of_transformers():
    command = [sys.executable, "-m", "scripts.finetune.finetune_hyperlora", "--help_all"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    for name in ("--pos_ratio", "--projector_lr_scale", "--learning_rate", "--gradient_accumulation_steps"):
        assert f"\n  {name}" in done.stdout
