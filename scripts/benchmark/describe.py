"""Describe a benchmark: the paper's Tables 1 and 8, IoU distributions (Figure 4), and pictures of example instances.

python -m scripts.benchmark.describe ../MQ-RAVSBench --output results/describe
"""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from configs.construction import DescribeArguments
from dataset.benchmark.inventory import choose_instances, mask_rows, read_parts
from dataset.benchmark.links import link_problems
from dataset.benchmark.samples import AuditSample, Benchmark
from dataset.media.images import read_mask, read_upright_frame, resize_mask
from scripts.program import run_program
from utils.audit import normalize_action, parse_negative_object
from utils.formatting import plain_cell
from utils.reports.distribution import distribution_picture
from utils.reports.instance_sheet import SheetMask, write_sheet
from utils.scores import benchmark_tables as tables
from utils.splits import PARTS, TRAIN, part_file_name, parts_of_mode
from utils.whole_files import own_folder, write_json, write_text

logger = logging.getLogger("describe")
TITLES = {
    "statistics": "Table 1: videos, referring expressions, masks",
    "masks_per_type": "Table 8: masks per type",
    "masks_per_rank": "Masks per type and rank",
    "masks_per_action": "Masks per action",
    "objects": "Object categories: expressions per part; expressions, videos and masks in all",
}  # by the name of the CSV file
MOST_OBJECTS = 20  # number of rows of the table of objects that are printed


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr for a benchmark that cannot be read."""
    return run_program("describe", (DescribeArguments,), describe, argv, __doc__, logging.WARNING)


def describe(args: DescribeArguments) -> None:
    """Read every part, count, print and write the tables, then draw the pictures."""
    root, folder = Path(args.root), Path(args.output)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--output {folder}: expected a folder, got a file")
    parts = read_parts(root)
    if not args.allow_links:
        parts = {name: without_links(benchmark) for name, benchmark in parts.items()}
    masks = tables.mask_table(mask_rows(parts), list(parts))
    counted = count(masks)
    print(render(root, parts, counted))
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in counted.items():
        write_text(folder / f"{name}.csv", csv_text(table.reset_index()))
    draw_distribution(masks, folder / "iou_distribution.png")
    sheets = write_sheets(choose_instances(parts, args.num_sheets, args.seed), folder / "sheets")
    write_json(folder / "describe.json", summary(args, parts, counted, sheets))
    print(f"written to {folder}: describe.json, {len(counted)} tables (CSV), {len(sheets)} example sheets")


def without_links(benchmark: Benchmark) -> Benchmark:
    """The benchmark without what is read through links that lead out of it; these are among its problems."""
    problems = link_problems(benchmark)
    return replace(benchmark.without(problems), problems=benchmark.problems + problems)


def count(masks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables, by their names in TITLES. For the published benchmark, the first two also show the paper's."""
    statistics, types = tables.count_statistics(masks), tables.count_types(masks)
    if tables.is_published(statistics):
        statistics = tables.beside_paper(statistics, tables.published_statistics())
        types = tables.beside_paper(types, tables.published_types())
    counted = statistics, types, tables.count_ranks(masks), tables.count_actions(masks), tables.count_objects(masks)
    return dict(zip(TITLES, counted, strict=True))


def is_beside_paper(counted: dict[str, pd.DataFrame]) -> bool:
    return "source" in counted["statistics"].index.names


def render(root: Path, parts: dict[str, Benchmark], counted: dict[str, pd.DataFrame]) -> str:
    """The text for the terminal."""
    lines = [f"benchmark {root}"]
    lines += [f"{part}: not counted, there is no {part_file_name(part)}" for part in PARTS if part not in parts]
    if problems := {problem for benchmark in parts.values() for problem in benchmark.problems}:
        verb = "entry" if len(problems) == 1 else "entries"
        lines.append(f"{len(problems):,} {verb} could not be read: run python -m scripts.benchmark.verify {root}")
    if is_beside_paper(counted):
        lines.append(f"beside the paper's counts, because {tables.PUBLISHED_RULE}")
    for name, title in TITLES.items():
        shown = counted[name].head(MOST_OBJECTS) if name == "objects" else counted[name]
        lines += ["", tables.render_table(shown, title)]
        if more := len(counted[name]) - len(shown):
            lines.append(f"and {more:,} more in {name}.csv")
    return "\n".join(lines) + "\n"


def summary(args: DescribeArguments, parts: dict, counted: dict[str, pd.DataFrame], sheets: list[dict]) -> dict:
    """The content of describe.json; null stands for a number that the paper does not give."""
    rows = {name: table.reset_index().astype(object) for name, table in counted.items()}
    return {
        "root": args.root,
        "is_published": is_beside_paper(counted),
        "absent": [part for part in PARTS if part not in parts],
        **{name: table.where(table.notna(), None).to_dict(orient="records") for name, table in rows.items()},
        "problems": {name: [str(problem) for problem in part.problems] for name, part in parts.items()},
        "passed_over": {name: dict(part.passed_over) for name, part in parts.items()},
        "seed": args.seed,
        "sheets": sheets,
    }


def csv_text(table: pd.DataFrame) -> str:
    """The table as comma-separated text in which no cell is a formula to a spreadsheet."""
    safe = table.map(lambda value: plain_cell(value) if isinstance(value, str) else value)
    return safe.to_csv(index=False, lineterminator="\n")


def draw_distribution(masks: pd.DataFrame, path: Path) -> None:
    """Draw Figure 4: IoUs of the training set, and of both test sets of the image protocol together."""
    chosen = {"Train": [TRAIN], "Test, image protocol, seen and unseen": parts_of_mode("image")}
    panels = {name: masks[masks["part"].isin(parts)] for name, parts in chosen.items()}
    panels = {name: panel for name, panel in panels.items() if len(panel)}
    if panels:
        distribution_picture(panels, path)
    else:
        path.unlink(missing_ok=True)
        logger.warning("no masks for training or the image protocol: %s is not drawn", path.name)


def write_sheets(chosen: list[tuple[str, AuditSample]], folder: Path) -> list[dict]:
    """Draw one PNG for each instance. If its frame or masks cannot be read, it is left out with a warning."""
    if not chosen:
        return []
    own_folder(folder)
    written = []
    with logging_redirect_tqdm():
        for number, (part, sample) in enumerate(tqdm(chosen, desc="sheets", unit="sheet"), start=1):
            name = re.sub(r"[^\w-]", "_", f"{number:02d}_{part}_{sample.uid}", flags=re.ASCII)[:120] + ".png"
            try:
                write_instance(part, sample, folder / name)
            except (OSError, ValueError) as error:
                logger.warning("no sheet of %s (%s): %s", sample.uid, part, error)
            else:
                written.append({"part": part, "uid": sample.uid, "frame": sample.frame_path.stem, "file": name})
    return written


def write_instance(part: str, sample: AuditSample, path: Path) -> None:
    """Draw the sheet of one sample. Masks that do not have the frame's size are resized, as for the auditor."""
    frame, masks = read_upright_frame(sample.frame_path), []
    for candidate in sample.candidates:
        action = normalize_action(candidate.audit.action)
        mask = resize_mask(read_mask(candidate.mask_path), frame.shape[:2])
        wrong = parse_negative_object(candidate.response, candidate.audit.mask_type, action)
        masks.append(SheetMask(mask, candidate.audit.mask_type, candidate.rank, candidate.audit.iou, action, wrong))
    origin = f"{sample.uid} · {part.replace('/', ', ')} · frame {sample.frame_path.stem}"
    write_sheet(path, frame, masks, sample.expression, origin)


if __name__ == "__main__":
    sys.exit(main())
