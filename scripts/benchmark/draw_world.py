"""Draw a small world of moving, sounding objects, with expressions, in the layout of Ref-AVSBench.

  python -m scripts.benchmark.draw_world --output results/quickstart/world
  python -m scripts.benchmark.build --source_dir results/quickstart/world --key_frame given --output_dir ...

Same seed, same bytes. `facts.json` beside metadata.csv says what is true of every object and which kind (appearance,
position, size, motion, sound) each expression is of.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from functools import partial
from pathlib import Path

import cv2
from tqdm import tqdm

from configs.construction import WorldArguments
from dataset.construction.referrals import Referral
from dataset.construction.source import SourceWriter
from dataset.world.world import World
from scripts.program import run_program
from utils.whole_files import whole_file

FACTS = "facts.json"


def draw_world(args: WorldArguments) -> None:
    """Write the world unless it is there; prints what it holds."""
    root, run = Path(args.output), {"seed": args.seed, "videos": args.num_videos}
    if (root / FACTS).is_file():
        found = json.loads((root / FACTS).read_text())["world"]
        if found != run:
            raise ValueError(f"{root}: expected a new folder or the world {run}, got the world {found}")
    else:
        _draw(root, run, args.num_workers)
    print(
        f"{root}: world {args.seed}, " + ", ".join(f"{count} {part} videos" for part, count in args.num_videos.items())
    )


def _draw(root: Path, run: dict, num_workers: int) -> None:
    if root.is_dir() and any(path.name not in ("media", "gt_mask") for path in root.iterdir()):
        raise ValueError(f"{root}: expected a new or empty folder, got one with other files")
    numbered = [(part, number) for part, count in run["videos"].items() for number in range(count)]
    draw = partial(_draw_video, root, run["seed"])
    with multiprocessing.get_context("spawn").Pool(num_workers, _start_worker) as pool:
        drawn = list(tqdm(pool.imap(draw, numbered, chunksize=4), total=len(numbered), desc="drawing", unit="video"))
    SourceWriter(root).write_metadata(referral for referrals, _ in drawn for referral in referrals)
    facts = {"world": run, "videos": {referrals[0].vid: facts for referrals, facts in drawn}}
    with whole_file(root / FACTS) as path:
        path.write_text(json.dumps(facts, separators=(",", ":")) + "\n")


def _start_worker() -> None:
    cv2.setNumThreads(1)


def _draw_video(root: Path, seed: int, numbered: tuple[str, int]) -> tuple[list[Referral], dict]:
    drawn = World(seed).video(*numbered)
    SourceWriter(root).write_video(drawn.video)
    return drawn.referrals, drawn.facts


def main(argv: list[str] | None = None) -> int:
    return run_program("draw_world", (WorldArguments,), draw_world, argv, __doc__)


if __name__ == "__main__":
    sys.exit(main())
