"""What is measured on: a few drawn videos and the benchmark made from them, small or at the size of real frames."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import cv2
from tqdm import tqdm

from configs.construction import BuildArguments, WorldArguments
from dataset.benchmark.annotations import read_test
from dataset.benchmark.samples import Benchmark
from scripts.benchmark.build import build
from scripts.benchmark.draw_world import draw_world
from utils.whole_files import whole_folder

NUM_VIDEOS = 8  # so that one has four objects, and its expressions 13 masks in a frame
REAL_WIDTH, REAL_HEIGHT = 1280, 720
META, TABLE, IMAGE_SPLIT = "train_test_meta_files", "metadata.csv", "test_s_image_filtered.json"
_VIDEO = re.compile(r"test_s_\d{4}")


def small_benchmark(folder: Path, num_test: int = NUM_VIDEOS) -> Path:
    """MQ-RAVSBench from a few drawn videos of 224 x 224."""
    world = folder / "small" / "world"
    draw_world(WorldArguments(output=str(world), num_train=NUM_VIDEOS, num_test_s=num_test, num_test_u=0))
    return _built(world, folder / "small" / "MQ-RAVSBench")


def large_benchmark(folder: Path) -> Path:
    """The same from the same videos, enlarged to 1280 x 720."""
    small_benchmark(folder)
    source, enlarged = folder / "small" / "world", folder / "large" / "world"
    if not enlarged.is_dir():
        with whole_folder(enlarged) as new:
            for path in tqdm(sorted(p for p in source.rglob("*") if p.is_file()), "enlarging", unit="file"):
                _enlarge(path, new / path.relative_to(source))
    return _built(enlarged, folder / "large" / "MQ-RAVSBench")


def repeated_benchmark(root: Path, target: Path, copies: int) -> Path:
    """The test clips of a benchmark `copies` times, each under names of its own, in image mode: files are links."""
    shutil.rmtree(target, ignore_errors=True)
    meta = target / META
    meta.mkdir(parents=True)
    texts = {name: (root / META / name).read_text(encoding="utf-8") for name in (TABLE, IMAGE_SPLIT)}
    table, entries = [texts[TABLE].splitlines()[0]], []
    for copy in range(copies):
        table += [_renamed(line, copy) for line in texts[TABLE].splitlines() if _VIDEO.search(line)]
        entries += json.loads(_renamed(texts[IMAGE_SPLIT], copy))
        for place in (*root.glob("media/test_s_*"), *root.glob("masks/test_s/test_s_*")):
            new = target / place.relative_to(root).parent / _renamed(place.name, copy)
            shutil.copytree(place, new, copy_function=os.link)
    (meta / TABLE).write_text("\n".join(table) + "\n", encoding="utf-8")
    (meta / IMAGE_SPLIT).write_text(json.dumps(entries), encoding="utf-8")
    return target


def _renamed(text: str, copy: int) -> str:
    return _VIDEO.sub(lambda found: f"{found[0]}{copy:03d}", text)


def _built(world: Path, root: Path) -> Path:
    """The benchmark of a world; one that is built already stays as it is."""
    build(BuildArguments(source_dir=str(world), output_dir=str(root), key_frame="given"))
    return root


def _enlarge(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix not in (".jpg", ".png"):
        target.write_bytes(source.read_bytes())
        return
    picture = cv2.imread(str(source), cv2.IMREAD_UNCHANGED)
    way = cv2.INTER_NEAREST if source.suffix == ".png" else cv2.INTER_CUBIC
    cv2.imwrite(str(target), cv2.resize(picture, (REAL_WIDTH, REAL_HEIGHT), interpolation=way))


def masks_of_prompts(root: Path, mode: str, most: int, prompts: int = 1) -> tuple[Benchmark, list[tuple[int, int]]]:
    """At most `most` masks of each of the expressions that have most: of key frames in image mode, else of all."""
    benchmark = read_test(root, "test_s", mode)
    by_uid: dict[str, list[tuple[int, int]]] = {}
    for pair in benchmark.requests():
        by_uid.setdefault(benchmark.samples[pair[0]].uid, []).append(pair)
    largest = sorted(by_uid.values(), key=len, reverse=True)[:prompts]
    return benchmark, [pair for pairs in largest for pair in pairs[:most]]
