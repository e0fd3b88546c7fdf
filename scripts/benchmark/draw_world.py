"""Draw a small world of moving, sounding objects, with expressions, in the layout of Ref-AVSBench.

  python -m scripts.benchmark.draw_world --output results/quickstart/world
  python -m scripts.benchmark.build --source_dir results/quickstart/world --key_frame given --output_dir ...

The same seed gives the same files. facts.json says what is true of every object, and the kind of each expression
(appearance, position, size, motion, sound). world.png shows some videos.
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
from dataset.world.looks import COLOURS
from dataset.world.world import DrawnVideo, World
from scripts.program import run_program
from utils.locks import only_one
from utils.reports.filmstrip import Film, SoundBar, write_filmstrip
from utils.text_files import read_json
from utils.whole_files import left_beside, own_folder, remove_left, write_json, write_text

FACTS, PICTURE = "facts.json", "world.png"
BEGUN = ".drawing.json"  # which world the folder is going to hold; removed when it does
NUM_SHOWN = 5  # videos in the picture: one for each kind of expression
FRAMES_ON = (-2, -1, 0, 1, 2)  # which of their frames, counted from the key frame


def draw_world(args: WorldArguments) -> None:
    """Write the world, unless the folder already holds it. Prints what it holds."""
    root, run = Path(args.output), {"seed": args.seed, "videos": args.num_videos}
    if not is_drawn(root, run):
        with only_one(root / ".drawing.lock", "drawing"):
            _draw(root, run, args.num_workers)
    for path in (root / BEGUN, root / ".drawing.lock"):
        path.unlink(missing_ok=True)
    print(
        f"{root}: world {args.seed}, " + ", ".join(f"{count} {part} videos" for part, count in args.num_videos.items())
    )


def is_drawn(root: Path, run: dict) -> bool:
    """Whether the folder holds this world, complete. If not, it can be drawn there, or drawn on after a kill.

    Raises ValueError if the folder holds another world or other files.
    """
    whole, begun = root / FACTS, root / BEGUN
    for path in (whole, begun):
        if path.is_file():
            content = read_json(path)
            found = content.get("world") if isinstance(content, dict) else content
            if found != run:
                raise ValueError(f"{root}: expected a new folder or the world {run}, got the world {found}")
            return path == whole
    ours = {root / ".drawing.lock", *left_beside(begun)}
    if root.is_dir() and set(root.iterdir()) - ours:
        raise ValueError(f"{root}: expected a new or empty folder, got one with other files")
    return False


def _draw(root: Path, run: dict, num_workers: int) -> None:
    """Files that an earlier drawing has left are written again: they come out the same."""
    write_json(root / BEGUN, {"world": run})
    for folder in ("media", "gt_mask"):
        own_folder(root / folder)
    remove_left(root)
    numbered = [(part, number) for part, count in run["videos"].items() for number in range(count)]
    draw = partial(_draw_video, root, run["seed"])
    with multiprocessing.get_context("spawn").Pool(num_workers, _start_worker) as pool:
        drawn = list(tqdm(pool.imap(draw, numbered, chunksize=4), total=len(numbered), desc="drawing", unit="video"))
    SourceWriter(root).write_metadata(referral for referrals, _ in drawn for referral in referrals)
    facts = {"world": run, "videos": {referrals[0].vid: facts for referrals, facts in drawn}}
    write_filmstrip(root / PICTURE, [film(World(run["seed"]).video(*at)) for at in numbered[:NUM_SHOWN]])
    write_text(root / FACTS, json.dumps(facts, separators=(",", ":")) + "\n")


def _start_worker() -> None:
    cv2.setNumThreads(1)


def _draw_video(root: Path, seed: int, numbered: tuple[str, int]) -> tuple[list[Referral], dict]:
    drawn = World(seed).video(*numbered)
    SourceWriter(root).write_video(drawn.video)
    return drawn.referrals, drawn.facts


def film(drawn: DrawnVideo) -> Film:
    """A row of the picture: the video's first expression, some frames around its key frame, and its sounds."""
    referral, things = drawn.referrals[0], drawn.facts["objects"]
    times = [drawn.scene.key_frame + n for n in FRAMES_ON]
    sounds = [_sound_bar(thing) for thing in things if thing["sound"]]
    return Film(
        expression=referral.expression,
        note=f"{referral.vid}: {drawn.facts['referrals'][referral.uid]['kind']}",
        frames=[drawn.video.frames[t] for t in times],
        masks=[drawn.video.objects[referral.fid][t] for t in times],
        words=["key frame" if n == 0 else f"{n:+d} s" for n in FRAMES_ON],
        sounds=sounds,
    )


def _sound_bar(thing: dict) -> SoundBar:
    sound, (red, green, blue) = thing["sound"], COLOURS[thing["colour"]]
    words = f"{thing['colour']} {thing['category']}: {sound['loudness']}, {sound['pitch']}"
    return SoundBar(words, f"#{red:02x}{green:02x}{blue:02x}", sound["onset"], sound["offset"])


def main(argv: list[str] | None = None) -> int:
    return run_program("draw_world", (WorldArguments,), draw_world, argv, __doc__)


if __name__ == "__main__":
    sys.exit(main())
