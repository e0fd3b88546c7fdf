"""Train, audit and compare a list of auditors: python -m scripts.evaluate.sweep configs/sweeps/mini.yaml

A recipe has the settings that all runs share and, for each table, the settings that each run changes. With `first`,
each run is two trainings: the first has these flags besides, and the second begins with its auditor. The two launch
scripts make the runs. Equal runs are made once, and finished runs are not repeated. The tables look like the paper's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tqdm import tqdm

from scripts.evaluate.summarize import read_runs
from scripts.program import run_program
from utils.credentials import without_secrets
from utils.finished import is_trained
from utils.reports.ablation_picture import ablation_picture
from utils.scores.ablation_tables import ablation_cells, ablation_markdown, bootstrap_intervals
from utils.scores.published import published_ablation
from utils.splits import TEST_NAMES
from utils.whole_files import whole_file, write_json, write_text
from utils.yaml_files import read_yaml

logger = logging.getLogger("sweep")

FINETUNE, AUDIT = "scripts/finetune/finetune_hyperlora.sh", "scripts/finetune/inference_hyper_lora.sh"
# Variables of the two scripts. They are removed from the environment, so that only the recipe sets them.
LAUNCH = re.compile(
    r"(REFAVS_|LORA_).*|.*_(CKPT_PATH|PRETRAIN_PATH)|TEST_NAME|RECIPE|OUTPUT_DIR|MQ_AUDITOR_CKPT_DIR|NUM_TRAIN_EPOCHS"
    r"|MAX_STEPS|LEARNING_RATE|LOCAL_BATCH_SIZE|GRADIENT_ACCUMULATION_STEPS|BATCH_SIZE|MAX_NEW_TOKENS|FEATURE_CACHE_DIR"
)
KEYS = {"results", "environment", "flags", "first", "tests", "tables"}


@dataclass(kw_only=True)
class SweepArguments:
    """A recipe, and how its runs are made."""

    sweep: str = field(metadata={"help": "YAML file (docs/experiments.md explains it).", "positional": True})
    tables: list[str] = field(default_factory=list, metadata={"help": "Only the tables of these names."})
    at_once: int = field(
        default=1, metadata={"help": "Runs that are made side by side, sharing the CPU cores: for small models."}
    )

    def __post_init__(self):
        if self.at_once < 1:
            raise ValueError(f"--at_once: expected at least 1, got {self.at_once}")


@dataclass(frozen=True)
class Run:
    """The settings of one run: variables of the launch scripts, flags of the training, flags of one before it."""

    environment: dict[str, str]
    flags: dict[str, str]
    first: dict[str, str]  # added to `flags`, or in place of them; empty: there is no training before

    @property
    def name(self) -> str:
        """A hash of the settings: equal settings have the same name."""
        settings = [self.environment, self.flags, *([self.first] if self.first else [])]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def main(argv: list[str] | None = None) -> int:
    return run_program("sweep", (SweepArguments,), sweep, argv, __doc__)


def sweep(args: SweepArguments) -> None:
    """Make all runs and write tables.md, tables.json and tables.png.

    They are written at the start and after each run, with the runs that are finished.
    """
    recipe = read_sweep(args.sweep)
    root = Path(recipe["results"])
    tables = {name: rows for name, rows in recipe["tables"].items() if not args.tables or name in args.tables}
    if unknown := set(args.tables) - set(recipe["tables"]):
        raise ValueError(f"--tables: expected some of {', '.join(recipe['tables'])}, got {', '.join(sorted(unknown))}")
    runs = {run.name: run for rows in tables.values() for run in rows.values()}
    shared = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // args.at_once))} if args.at_once > 1 else {}
    finished = [name for name in runs if is_finished(root / name, recipe["tests"])]
    scored = {
        name: score_run(root / name, recipe["tests"])
        for name in tqdm(finished, "scoring finished runs", disable=not finished)
    }
    write_tables(tables, scored, root)
    pool = ThreadPoolExecutor(args.at_once)
    try:
        made = {
            pool.submit(make_run, run, root / name, recipe["tests"], shared): name
            for name, run in runs.items()
            if name not in scored
        }
        for future in as_completed(made):
            future.result()
            scored[made[future]] = score_run(root / made[future], recipe["tests"])
            logger.info("%d of %d runs are finished", len(scored), len(runs))
            write_tables(tables, scored, root)
    finally:
        pool.shutdown(cancel_futures=True)
    print((root / "tables.md").read_text())


def read_sweep(path: str) -> dict:
    """The recipe with Run objects: {"results", "tests", "tables": {table: {row: Run}}}.

    Raises FileNotFoundError, ValueError.
    """
    recipe = read_yaml(path, "sweep")
    tables = recipe.get("tables") if isinstance(recipe, dict) else None
    if not isinstance(tables, dict) or not tables or set(recipe) - KEYS:
        raise ValueError(f"sweep {path}: expected the keys {', '.join(sorted(KEYS))}, got {recipe!r:.80}")
    shared = {name: _texts(recipe.get(name), f"sweep {path}: {name}") for name in ("environment", "flags", "first")}
    runs = {}
    for table, rows in tables.items():
        if not isinstance(rows, dict) or not rows:
            raise ValueError(f"sweep {path}: {table}: expected rows, got {rows!r:.80}")
        own = {str(row): _texts(flags, f"sweep {path}: {table}: {row}") for row, flags in rows.items()}
        runs[str(table)] = {row: Run(**shared | {"flags": shared["flags"] | flags}) for row, flags in own.items()}
    tests = recipe.get("tests", list(TEST_NAMES))
    if not isinstance(tests, list) or not tests or set(tests) - set(TEST_NAMES):
        raise ValueError(f"sweep {path}: tests: expected some of {', '.join(TEST_NAMES)}, got {tests!r:.80}")
    results = str(recipe.get("results", f"results/sweeps/{Path(path).stem}"))
    return {"results": results, "tests": tests, "tables": runs}


def _texts(settings: object, where: str) -> dict[str, str]:
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise ValueError(f"{where}: expected 'name: value' lines, got {settings!r:.80}")
    listed = {str(name): value if isinstance(value, list) else [value] for name, value in settings.items()}
    return {name: " ".join(str(v) for v in values if v is not None) for name, values in listed.items()}


def make_run(run: Run, folder: Path, tests: list[str], variables: dict[str, str]) -> None:
    """Train, once or twice, then audit the test sets in image mode; `variables` are for all processes.

    Raises ValueError where one of the scripts fails.
    """
    logger.info("in %s: %s", folder, run.flags or "as is")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "settings.json", without_secrets(asdict(run)))
    first, auditor = folder / "first", folder / "MQ-Auditor"
    outer = {name: value for name, value in os.environ.items() if not LAUNCH.fullmatch(name)}
    environment = outer | variables | run.environment | {"PYTHON": sys.executable}
    if run.first and not is_trained(auditor):
        _train(run.flags | run.first, first, environment)
    _train(run.flags | ({"start_from": str(first.absolute())} if run.first else {}), auditor, environment)
    for test_name in tests:
        if (test_name, "image") not in read_runs(folder):
            places = {"MQ_AUDITOR_CKPT_DIR": str(auditor.absolute()), "OUTPUT_DIR": str(folder.absolute())}
            asked = {"TEST_NAME": test_name, "REFAVS_EVAL_MODE": "image"}
            _launch([AUDIT, "--report", "false"], environment | places | asked, folder / f"{test_name}.log")
            if (test_name, "image") not in read_runs(folder):
                raise ValueError(f"{folder}: expected predictions of {test_name}, got none (see {test_name}.log)")


def _train(flags: dict[str, str], auditor: Path, environment: dict[str, str]) -> None:
    """Train an auditor, unless its training is finished."""
    if not is_trained(auditor):
        words = [word for name, value in flags.items() for word in (f"--{name}", *value.split())]
        log = auditor.with_name(f"{auditor.name}.log")
        _launch([FINETUNE, *words], environment | {"OUTPUT_DIR": str(auditor.absolute())}, log)


def _launch(command: list[str], environment: dict[str, str], log: Path) -> None:
    log.unlink(missing_ok=True)  # a link is removed, not written through
    with log.open("x") as file:
        code = subprocess.run(["bash", *command], env=environment, stdout=file, stderr=subprocess.STDOUT).returncode
    if code:
        raise ValueError(f"{command[0]} ended with exit code {code}: {log} ends in: {log.read_text().strip()[-300:]}")


def is_finished(folder: Path, tests: list[str]) -> bool:
    """Whether the auditor is trained and has audited all test sets."""
    return is_trained(folder / "MQ-Auditor") and {name for name, mode in read_runs(folder) if mode == "image"} >= set(
        tests
    )


def score_run(folder: Path, tests: list[str]) -> dict:
    """A finished run's table cells, and the interval of each average."""
    read = read_runs(folder).items()
    predictions = {name: own for (name, mode), own in read if mode == "image" and name in tests}
    return {"cells": ablation_cells(predictions), "interval": bootstrap_intervals(predictions), "run": folder.name}


def write_tables(tables: dict[str, dict[str, Run]], scored: dict[str, dict], root: Path) -> None:
    """tables.md, tables.json and tables.png of the runs that are finished. `scored`: by the runs' names."""
    text, values = [], {}
    published = {table: published_ablation(table) for table in tables}
    for table, rows in tables.items():
        values[table] = own = {row: scored[run.name] for row, run in rows.items() if run.name in scored}
        cells, intervals = ({row: score[key] for row, score in own.items()} for key in ("cells", "interval"))
        text += [f"### {table}\n", ablation_markdown(cells, intervals, published[table]), ""]
    write_text(root / "tables.md", "\n".join(text))
    write_json(root / "tables.json", values)
    if scored:
        with whole_file(root / "tables.png") as path:
            ablation_picture(values, published, path)


if __name__ == "__main__":
    sys.exit(main())
