"""The work of scripts.speed.efficiency: measure every size and every work, and write the tables."""

from __future__ import annotations

import platform
from datetime import date
from pathlib import Path

import torch
import transformers

from configs.speed import EfficiencyArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.benchmark.annotations import read_test, read_train
from scripts.speed import audits, data, fastest, growth, training
from scripts.speed.limits import measure_machine
from scripts.speed.material import NUM_VIDEOS, large_benchmark, masks_of_prompts, small_benchmark
from scripts.speed.other_auditors import rows_of_runs
from scripts.speed.rows import Row, render, save
from scripts.speed.sizes import Rig, make_rig
from scripts.speed.steering import scripted_answers
from scripts.speed.ways import Work, make_work

IMAGE_MODE, VIDEO_MODE = 13, 126  # masks behind one prompt
PROMPTS_OF_A_GPU = 10  # in one batch, in image mode
VIDEOS_FOR_A_GPU = 30  # test videos; fewer are audited before the program is warm
TRAINED = 4  # masks of a training step


def measure(args: EfficiencyArguments) -> None:
    """Print the table, and write it after every size, so that nothing is lost."""
    folder = Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if args.full or ("full" in args.sizes) else "cpu")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("--full: expected a GPU, found none; random LLaMA-2-7B weights do not fit a laptop")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    machine = measure_machine(device, dtype)
    about = {
        "date": date.today().isoformat(),
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None,
        "dtype": str(dtype),
        "flops_per_s": machine.flops,
        "bytes_per_s": machine.bytes,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    others = rows_of_runs(args.runs)
    rows: list[Row] = []

    def add(more: list[Row]) -> None:
        rows.extend(more)
        save(rows, folder, about)

    for name in args.sizes:
        rig = make_rig(name, device, dtype)
        root = small_benchmark(folder, VIDEOS_FOR_A_GPU if device.type == "cuda" else NUM_VIDEOS)
        if "audit" in args.works:
            for mode, count in (("image", IMAGE_MODE), ("video", VIDEO_MODE)):
                if mode == "video" and name == "golden":
                    continue
                prompts = PROMPTS_OF_A_GPU if device.type == "cuda" and mode == "image" else 1
                work = _work(rig, root, mode, count, prompts)
                add(audits.measure(work, args.repeats, machine, count))
                if mode == "image":
                    few, published = work, next(row for row in rows[::-1] if row.step == "published way")
        if "data" in args.works and name == args.sizes[0]:
            add(data.measure(_work(rig, large_benchmark(folder), "image", IMAGE_MODE), args.repeats))
        if "train" in args.works and name != "golden":
            samples = read_train(root).samples
            dataset = build_dataset(samples, rig.tokenizer, rig.pixels, rig.auditor.config)
            add(training.measure(rig, [dataset[0, i] for i in range(TRAINED)], args.repeats))
        if device.type == "cuda" and "audit" in args.works:
            benchmark = read_test(root, "test_s", "image")
            add(fastest.measure(few, benchmark, args.repeats, published))  # last: LoRA stays merged
        if args.growth and name == args.sizes[0]:
            work = _work(rig, root, "video", VIDEO_MODE)
            add([*growth.over_masks(work), *growth.over_clips(work, folder)])
            growth.plot(rows, folder / "growth.png")
        del rig
    add(others)
    print(render(rows))
    print(f"written to {folder}")


def _work(rig: Rig, root: Path, mode: str, count: int, prompts: int = 1) -> Work:
    benchmark, pairs = masks_of_prompts(root, mode, count, prompts)
    scripts = scripted_answers(rig.tokenizer, rig.auditor.stop_ids()[0])
    return make_work(rig, benchmark.samples, pairs, scripts)
