"""Every program answers --help without the large libraries, and begins with what it requires."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.finetune.finetune_hyperlora import main as finetune

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
    "scripts.pretrain.mini.segmenter": ("weights", "work"),
    "scripts.pretrain.pretrain_projector": ("--modality", "--captions", "--media_dir"),
}
# Each program in a fork of an interpreter that has imported what all programs share. Writes PROGRAM.out, .err, .code.
RUN_EACH = """
import os, runpy, sys, traceback
import scripts.program
folder, *programs = sys.argv[1:]
for program in programs:
    if os.fork():
        os.wait()
        continue
    for number, ending in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{folder}/{program}.{ending}", os.O_WRONLY | os.O_CREAT), number)
    sys.argv, code = [program, "--help"], 1
    try:
        runpy.run_module(program, run_name="__main__")
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
    print(*sorted({"torch", "transformers"} & set(sys.modules)), file=sys.stderr)
    sys.stdout.flush(), sys.stderr.flush()
    open(f"{folder}/{program}.code", "w").write(str(code))
    os._exit(0)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Path:
    """A folder with what every program answers to --help."""
    folder = tmp_path_factory.mktemp("help")
    command = [sys.executable, "-c", RUN_EACH, str(folder), *PROGRAMS]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    return folder


def test_programs_are_found():
    assert {*REQUIRED, "scripts.evaluate.run", "scripts.finetune.score"} <= {*PROGRAMS}


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_answers_without_torch_and_begins_with_what_is_required(program, answers):
    out, err, code = ((answers / f"{program}.{ending}").read_text() for ending in ("out", "err", "code"))
    assert (code, err.strip()) == ("0", "")
    if program in REQUIRED:
        group = out.partition("\nrequired:\n")[2].partition("\n\n")[0]
        assert all(f"\n  {name}" in f"\n{group}" for name in REQUIRED[program])
        assert out.index("\nrequired:\n") < out.index("\nhelp:\n")


def test_help_all_of_the_training_lists_the_flags_of_transformers(capsys):
    with pytest.raises(SystemExit) as ended:
        finetune(["--help_all"])
    assert not ended.value.code
    shown = capsys.readouterr().out
    for name in ("--pos_ratio", "--projector_lr_scale", "--learning_rate", "--gradient_accumulation_steps"):
        assert f"\n  {name}" in shown
