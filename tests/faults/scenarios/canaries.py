"""Code hidden in files: in place of each file that a program loads stands one that leaves a trace when it is run."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.conftest import GOLDEN
from tests.faults.changes import FRAME, MASK, SOUND
from tests.faults.forked import HANG, run_forked
from tests.faults.material import copy_material, make_material
from tests.faults.programs import PROGRAMS
from tests.faults.scenario import Counts, Options, scenario
from tests.faults.scenarios.sentences import warm_up
from tests.seeded import BEATS_NAME

AUDITOR = ("adapter_model.safetensors", "projectors.safetensors", "token_rows.safetensors", "tokenizer.json")
AUDITOR += ("config.json", "preprocessor_config.json", "manifest.json", "pytorch_model.bin", "training_args.bin")
PARTS = (BEATS_NAME, "audio_pretrain.bin", "visual_pretrain.bin", "clip-vit-large-patch14/model.safetensors")
PARTS += ("clip-vit-large-patch14/pytorch_model.bin", "Llama-2-7b-chat-hf/pytorch_model.bin")
RESUMED = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "adapter_model.safetensors", "trainer_state.json")
PAIR = ("non_lora_trainables.bin", "checkpoint-3/finetune_weights.bin")
MODULE = "from pathlib import Path\nPath({trace!r}).touch()\nclass Evil: pass\n"


class Trace:
    """Unpickling it makes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mknod, (str(self.path),)


@dataclass(frozen=True)
class Canary:
    name: str
    program: str
    place: Callable[[Path, Path], None]  # (folder of the material, where the trace would be)
    flags: tuple[str, ...] = ()


def pickled(trace: Path) -> bytes:
    return pickle.dumps({"weight": Trace(trace)})


def torch_file(trace: Path) -> bytes:
    import torch

    torch.save({"weight": Trace(trace)}, content := io.BytesIO())
    return content.getvalue()


def instead(where: str, content: Callable[[Path], bytes], root: Path, trace: Path) -> None:
    """A file with code in place of another one; a linked folder of parts becomes a copy first."""
    if (parts := root / "parts").is_symlink() and where.startswith("parts/"):
        original = parts.resolve()
        parts.unlink()
        shutil.copytree(original, parts, copy_function=os.link)
    path = root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if path.name == "pytorch_model.bin":  # read where there is no safetensors file
        for other in path.parent.glob("model*.safetensors"):
            other.unlink()
    path.write_bytes(content(trace))


def released_pair(where: str, content: Callable, root: Path, trace: Path) -> None:
    shutil.rmtree(root / "auditor")
    shutil.copytree(GOLDEN / "weights/ckpt", root / "auditor")
    instead(f"auditor/{where}", content, root, trace)


def own_code(where: str, key: str, root: Path, trace: Path) -> None:
    """A configuration that names Python code beside it, as models with custom code do."""
    config = root / where
    settings = json.loads(config.read_text())
    instead(where, lambda _: json.dumps(settings | {"auto_map": {key: "evil.Evil"}}).encode(), root, trace)
    (root / where).with_name("evil.py").write_text(MODULE.format(trace=str(trace)))


def recipe(root: Path, trace: Path) -> None:
    (root / "recipe.yaml").write_text(f"seed: !!python/object/apply:os.mknod ['{trace}']\n")


def canaries(resumable: Path) -> list[Canary]:
    made = []
    for kind, content in (("pickle", pickled), ("torch file", torch_file)):
        made += [Canary(f"{kind}: {n}", "evaluate", partial(instead, f"auditor/{n}", content)) for n in AUDITOR]
        made += [Canary(f"{kind}: {n}", "train", partial(instead, f"parts/{n}", content)) for n in PARTS]
        made += [
            Canary(f"{kind}: {n}", "evaluate", partial(released_pair, n, content), ("--lora_r", "4")) for n in PAIR
        ]
        made += [Canary(f"{kind}: {n}", "evaluate", partial(instead, n, content)) for n in (MASK, FRAME, SOUND)]
        made += [Canary(f"{kind}: {n}", "train", partial(resumed, resumable, n, content), TWO_STEPS) for n in RESUMED]
    for where, key in (("auditor/tokenizer_config.json", "AutoTokenizer"), ("auditor/config.json", "AutoConfig")):
        made.append(Canary(f"code named in {where}", "evaluate", partial(own_code, where, key)))
    made.append(Canary("code in a recipe", "train", recipe))
    return made


TWO_STEPS = ("--max_steps", "2", "--save_strategy", "steps", "--save_steps", "1")


def resumed(resumable: Path, name: str, content: Callable, root: Path, trace: Path) -> None:
    shutil.copytree(resumable, root / "trained")
    instead(f"trained/checkpoint-1/{name}", content, root, trace)


def make_resumable(material: Path, folder: Path) -> Path:
    """The folder of a training with one checkpoint, whose run was to be longer."""
    flags = ("--max_steps", "1", *TWO_STEPS[2:], "--output_dir", str(folder))
    run_forked(lambda: PROGRAMS["train"].main(PROGRAMS["train"].argv(material, flags)), material / "printed.txt", 300)
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    return folder


@scenario("canaries")
def hidden_code(options: Options) -> Counts:
    """Pickles and custom code in place of every file that a program loads: none is run."""
    material, counts = make_material(options.folder / "material"), Counts()
    warm_up({"train"}, material, options.folder)
    resumable = make_resumable(material, options.folder / "resumable")
    trace, root = options.folder / "trace", options.folder / "case"
    pickle.loads(pickled(trace))
    if not trace.exists():
        counts.tell("unclear", "the canary itself leaves no trace")
    trace.unlink(missing_ok=True)
    for canary in canaries(resumable)[:: options.every]:
        counts.cases += 1
        shutil.rmtree(root, ignore_errors=True)
        program = PROGRAMS[canary.program]
        argv = program.argv(root, canary.flags)
        argv = [str(root / "recipe.yaml"), *argv] if canary.place is recipe else argv
        copy_material(material, root, argv)
        canary.place(root, trace)
        outcome = run_forked(lambda: program.main(argv), root / "printed.txt", 300)  # noqa: B023
        if trace.exists():
            trace.unlink()
            counts.tell("silent", f"{canary.name}: {canary.program}: the code was run")
        if outcome.code == HANG:
            counts.tell("stuck", f"{canary.name}: {canary.program}: hangs")
    return counts
