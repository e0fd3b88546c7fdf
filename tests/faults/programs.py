"""The programs that cases run, by name, with their command lines. {root} stands for the folder of the material."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

_PARTS = {"--pretrained_weights_dir": "{root}/parts"}
_ASK = _PARTS | {"--device": "cpu", "--max_new_tokens": "2"}


@dataclass(frozen=True)
class Program:
    """`module` has a function `main(argv)`."""

    module: str
    flags: dict[str, str]  # "" as the value of a positional argument
    first: tuple[str, ...] = ()  # positional arguments

    def argv(self, root: Path, more: tuple[str, ...] = ()) -> list[str]:
        """The command line; a flag among `more` replaces the program's own."""
        flags = [word for name, value in self.flags.items() if name not in more for word in (name, value)]
        return [word.replace("{root}", str(root)) for word in (*self.first, *flags, *more)]

    def main(self, argv: list[str]) -> int:
        return importlib.import_module(self.module).main(argv)


_EVALUATE = _ASK | {
    "--data_dir": "{root}/bench",
    "--auditor_dir": "{root}/auditor",
    "--output_dir": "{root}/results",
    "--report": "false",
}
PROGRAMS = {
    "evaluate": Program("scripts.evaluate.run", _EVALUATE | {"--num_workers": "0", "--batch_size": "16"}),
    "evaluate by recipe": Program("scripts.evaluate.run", _EVALUATE, ("{root}/recipe.yaml",)),
    "audit": Program(
        "scripts.audit",
        _ASK
        | {
            "--auditor": "{root}/auditor",
            "--frames": "{root}/clip/frames",
            "--audio": "{root}/clip/audio.wav",
            "--mask": "{root}/clip/mask.png",
            "--frame": "3",
            "--expression": "the dog",
            "--output": "{root}/results",
        },
    ),
    "audit a video": Program(
        "scripts.audit",
        _ASK
        | {
            "--auditor": "{root}/auditor",
            "--video": "{root}/clip/video.mkv",
            "--mask": "{root}/clip/mask.png",
            "--frame": "3",
            "--expression": "the dog",
            "--output": "{root}/results",
        },
    ),
    "train": Program(
        "scripts.finetune.finetune_hyperlora",
        _PARTS
        | {
            "--data_dir": "{root}/bench",
            "--output_dir": "{root}/trained",
            "--max_steps": "1",
            "--per_device_train_batch_size": "1",
            "--eval_fraction": "0",
            "--lora_r": "4",
            "--num_query_tokens": "32",
            "--use_cpu": "true",
            "--report_to": "none",
            "--dataloader_num_workers": "0",
        },
    ),
    "verify": Program("scripts.benchmark.verify", {"--num_workers": "1"}, ("{root}/bench",)),
    "describe": Program(
        "scripts.benchmark.describe", {"--output": "{root}/results", "--num_sheets": "1"}, ("{root}/bench",)
    ),
    "build": Program(
        "scripts.benchmark.build",
        {
            "--source_dir": "{root}/source",
            "--output_dir": "{root}/built",
            "--num_workers": "1",
            "--negatives": "gt",
        },
    ),
    "import": Program(
        "scripts.benchmark.import_masks",
        {
            "--pairs": "{root}/pairs",
            "--audio": "{root}/pairs/sounds",
            "--object_name": "dog",
            "--output": "{root}/imported",
        },
    ),
    "import COCO": Program(
        "scripts.benchmark.import_masks",
        {"--coco": "{root}/coco/i.json", "--images": "{root}/coco/images", "--output": "{root}/imported"},
    ),
    "score": Program(
        "scripts.evaluate.score", {"--eval_mode": "image", "--output": "{root}/scores.json"}, ("{root}/records.jsonl",)
    ),
    "convert": Program(
        "scripts.finetune.convert", _PARTS | {"--source": "{root}/auditor", "--target": "{root}/converted"}
    ),
}
