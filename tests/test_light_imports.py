"""What counts and reads files starts without the large libraries."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCORES = [f"utils.scores.{path.stem}" for path in sorted((ROOT / "utils/scores").glob("*.py")) if path.stem[0] != "_"]


def heavy_libraries(modules: list[str], names: tuple[str, ...]) -> str:
    """Which of the libraries a fresh interpreter has loaded after it imported the modules."""
    code = f"import sys, {', '.join(modules)}; print(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_counting_draws_nothing_and_needs_no_tensors():
    assert heavy_libraries([*SCORES, "utils.records", "scripts.evaluate.score"], ("matplotlib", "torch")) == ""


def test_benchmarks_are_read_made_and_verified_without_tensors():
    modules = [
        "dataset.benchmark.validation",
        "dataset.construction.build",
        "dataset.construction.pairs",
        "dataset.verification.benchmark",
        "dataset.world.world",
    ]
    assert heavy_libraries(modules, ("torch", "transformers")) == ""


def test_programs_without_a_model_start_without_tensors():
    programs = [
        "benchmark.verify",
        "benchmark.describe",
        "benchmark.import_masks",
        "benchmark.draw_world",
        "evaluate.summarize",
        "evaluate.baseline",
        "evaluate.compare",
        "baselines.ask_split",
        "evaluate.seeds",
        "evaluate.sweep",
        "evaluate.show_audits",
    ]
    programs += ["flagged.build"]
    assert heavy_libraries([f"scripts.{name}" for name in programs], ("torch", "transformers")) == ""
