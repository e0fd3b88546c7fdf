"""Files changed by chance, and the readers that have to bear them: each accepts one or refuses it with its own error.

A reader is a function of the folder of the material (`tests.faults.material`). What programs turn into a sentence, it
may raise: OSError, ValueError, ImportError, and SystemExit of a command line.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.cases.model_settings import (
    BERT,
    CLIP,
    CLIP_CONFIG,
    CLIP_PIXELS,
    DEEPSPEED,
    GENERATION,
    LLM,
    LLM_CONFIG,
)
from tests.faults.changes import FRAME, MASK, SOUND, TABLE
from tests.right_benchmark import META, TEST, TRAIN, VIDEO

COCO = "coco/i.json"
ODD_VALUES = [
    *(None, True, False, 0, -1, 1.5, 10**9, 10**400, -(10**12), float("nan"), float("inf"), 1e308),
    *("", " ", "x", "\0", "\ud800", "../../etc/passwd", "/etc/passwd", "</s>", "<mask>", "\x1b[2J", "é" * 5000),
    *([], {}, [[]], [None], {"a": 1}, [1, 2, 3, 4], {"": None}, [float("nan")] * 4),
]
ODD_BYTES = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"{",
    b"[" * 300,
    b"}",
    b"1e999",
    b"NaN",
]
ODD_BYTES += [b"\\u0000", b"\\ud800", b"&a", b"*a", b"!!python/object", b": ", b"- ", b"\t", b"9" * 5000, b"<s>"]


def changed_bytes(content: bytes, dice: random.Random) -> bytes:
    """One to four changes: a bit, a cut, a piece left out, doubled or moved, or an odd piece put in."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        at, end = sorted(dice.randrange(len(changed) + 1) for _ in range(2))
        end = min(end, at + dice.choice([1, 8, 200, 100_000]))
        kind = dice.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            del changed[at:end]
        elif kind == 3:
            changed[at:at] = changed[at:end]
        elif kind == 4:
            changed[at:end] = bytes(reversed(changed[at:end]))
        else:
            changed[at:at] = dice.choice(ODD_BYTES)
    return bytes(changed)


def changed_head(content: bytes, dice: random.Random, size: int = 256) -> bytes:
    """Changes of the first bytes only, where the headers of media and weights are."""
    return changed_bytes(content[:size], dice)[: 2 * size] + content[size:]


def changed_values(content: bytes, dice: random.Random) -> bytes:
    """JSON in which one to three values are replaced by odd ones, left out, or given twice."""
    value = json.loads(content)
    for _ in range(dice.randint(1, 3)):
        places = list(_places(value))
        if not places:
            break
        holder, key = dice.choice(places)
        if dice.random() < 0.15:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(dice.choice(ODD_VALUES))
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _places(value) -> Iterator[tuple]:
    """(holder, key) of every value inside lists and objects."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


@dataclass(frozen=True)
class Reader:
    """`where`: the file that is changed; `read` is called with the folder. `share` of the asked number is tried."""

    name: str
    where: str
    change: Callable[[bytes, random.Random], bytes]
    read: Callable[[Path], object]
    share: float = 1.0


def read_split(split: str, mode: str, root: Path) -> None:
    from dataset.benchmark.annotations import read_test, read_train

    read_train(root / "bench") if mode == "train" else read_test(root / "bench", split, mode)


def read_referrals(root: Path) -> None:
    from dataset.construction.referrals import read_referrals as read

    read(root / "source/metadata.csv")


def read_pairs(root: Path) -> None:
    from dataset.construction.pairs import read_pairs as read
    from dataset.construction.stills import ImportReport

    read(root / "pairs", "dog", ImportReport())


def read_coco(root: Path) -> None:
    from dataset.construction.coco import read_coco as read
    from dataset.construction.stills import ImportReport

    for _ in read(root / COCO, root / "coco/images", ImportReport()).stills("train", None):
        pass


def read_recipe(root: Path) -> None:
    from configs.evaluation import EvaluationArguments
    from configs.model import ModelArguments
    from configs.parsing import parse_arguments

    parse_arguments((ModelArguments, EvaluationArguments), [str(root / "recipe.yaml")], "fuzz", None)


def read_sweep(root: Path) -> None:
    from scripts.evaluate.sweep import read_sweep as read

    read(str(root / "sweep.yaml"))


def read_answers(root: Path) -> None:
    from scripts.evaluate.score import main

    if main([str(root / "records.jsonl"), "--output", str(root / "scores.json")]):
        raise ValueError("the program has said what is wrong")


def read_negatives(root: Path) -> None:
    from dataset.construction.negatives import FileNegatives

    FileNegatives(root / "negatives.jsonl").check()


def read_captions(root: Path) -> None:
    from dataset.text.captions import read_visual_captions

    read_visual_captions(root / "captions.json", root / "bench")


def parse_answer(root: Path) -> None:
    from utils.audit import parse_audit

    parse_audit((root / "answer.txt").read_bytes().decode("utf-8", "surrogateescape"))


def read_medium(function: str, module: str, where: str, root: Path) -> None:
    import importlib

    getattr(importlib.import_module(module), function)(root / where)


def last_frame(path: Path):
    from dataset.media.video import decode, upright

    for _, _, frame in decode(path, "video"):
        last = upright(frame)
    return last


def read_weights(function: str, where: str, root: Path) -> None:
    from models.weights import weight_files

    weight_files.expect_tensors(getattr(weight_files, function)(root / where), root / where)


def read_model_folder(root: Path) -> None:
    from configs.model import ModelArguments
    from models.auditor.build import AUDITOR, expected_state
    from models.auditor.trainable import check_state
    from models.weights.checkpoint import check_auditor, read_auditor

    args = ModelArguments(pretrained_weights_dir=str(root / "parts"))
    check_auditor(root / "auditor", args)
    parts = read_auditor(root / "auditor", args)
    check_state(expected_state(AUDITOR, parts.config, args, parts.state), parts.state, "fuzz")


def read_llm(root: Path) -> None:
    import torch

    from models.auditor.build import load_language_model

    load_language_model(str(root / LLM), torch.float32)


def read_clip(root: Path) -> None:
    from configs.model import ModelArguments
    from models.encoders.vision import load_clip_tower
    from models.weights.checkpoint import pixel_settings

    pixel_settings(ModelArguments(pretrained_weights_dir=str(root / "parts")))
    load_clip_tower(root / CLIP)


def read_bert(root: Path) -> None:
    from configs.model import ModelArguments
    from models.weights.auditor_settings import check_projectors

    check_projectors(ModelArguments(pretrained_weights_dir=str(root / "parts")))


def read_deepspeed(root: Path) -> None:
    from configs.trainer import FinetuningArguments

    FinetuningArguments(output_dir=str(root / "trained"), deepspeed=str(root / DEEPSPEED), use_cpu=True)


MEDIA = "dataset.media.images"
READERS = [
    Reader("answer", "answer.txt", changed_bytes, parse_answer),
    Reader("records", "records.jsonl", changed_bytes, read_answers),
    Reader("table of a benchmark", TABLE, changed_bytes, partial(read_split, "test_s", "image")),
    Reader("table of a source", "source/metadata.csv", changed_bytes, read_referrals),
    Reader("table of pairs", "pairs/expressions.csv", changed_bytes, read_pairs),
    *(
        Reader(f"split {name}, {kind.__name__.split('_')[1]}", f"bench/{META}/{name}.json", kind, read)
        for kind in (changed_bytes, changed_values)
        for name, read in (
            (TEST, partial(read_split, "test_s", "image")),
            (VIDEO, partial(read_split, "test_s", "video")),
            (TRAIN, partial(read_split, "", "train")),
        )
    ),
    Reader("COCO, bytes", COCO, changed_bytes, read_coco),
    Reader("COCO, values", COCO, changed_values, read_coco),
    Reader("negatives", "negatives.jsonl", changed_bytes, read_negatives),
    Reader("negatives, values", "negatives.jsonl", changed_values, read_negatives),
    Reader("captions, bytes", "captions.json", changed_bytes, read_captions),
    Reader("captions, values", "captions.json", changed_values, read_captions),
    Reader("recipe", "recipe.yaml", changed_bytes, read_recipe),
    Reader("sweep", "sweep.yaml", changed_bytes, read_sweep),
    Reader("mask", MASK, changed_bytes, partial(read_medium, "read_mask", MEDIA, MASK)),
    Reader("mask, head", MASK, changed_head, partial(read_medium, "read_mask", MEDIA, MASK)),
    Reader("frame", FRAME, changed_bytes, partial(read_medium, "read_frame", MEDIA, FRAME)),
    Reader("frame, head", FRAME, changed_head, partial(read_medium, "read_frame", MEDIA, FRAME)),
    Reader("sound", SOUND, changed_bytes, partial(read_medium, "load_waveform", "dataset.media.waveform", SOUND)),
    Reader("sound, head", SOUND, changed_head, partial(read_medium, "load_waveform", "dataset.media.waveform", SOUND)),
    *(
        Reader(name, f"odd/{name}", changed_bytes, partial(read_medium, *reader, f"odd/{name}"), 0.5)
        for names, reader in (
            (("deep.png", "opaque.webp", "lossy.jpg", "colours.gif"), ("read_mask", MEDIA)),
            (("a.flac", "a.ogg", "a.mp3", "a.aiff", "a.w64"), ("load_waveform", "dataset.media.waveform")),
            (("v.mkv",), ("last_frame", "tests.faults.fuzz")),
        )
        for name in names
    ),
    *(
        Reader(f"weights {where}, {how}", where, change, partial(read_weights, function, where))
        for function, where in (("read_safetensors_file", "w.safetensors"), ("read_torch_file", "w.bin"))
        for how, change in (("bytes", changed_bytes), ("head", changed_head))
    ),
    *(
        Reader(f"auditor's {name}, {kind.__name__.split('_')[1]}", f"auditor/{name}.json", kind, read_model_folder)
        for name in ("config", "preprocessor_config", "tokenizer_config", "tokenizer")
        for kind in (changed_bytes, changed_values)
    ),
    *(
        Reader(f"{where.removeprefix('parts/')}, {kind.__name__.split('_')[1]}", where, kind, read)
        for where, read in (
            (LLM_CONFIG, read_llm),
            (GENERATION, read_llm),
            (CLIP_CONFIG, read_clip),
            (CLIP_PIXELS, read_clip),
            (BERT, read_bert),
            (DEEPSPEED, read_deepspeed),
        )
        for kind in (changed_bytes, changed_values)
    ),
]


def write_more(root: Path) -> None:
    """Files that only the fuzzer reads, beside the material."""
    import torch
    from safetensors.torch import save_file

    from tests.right_benchmark import NEGATIVES, response_of
    from utils.run_length import encode_rle

    write_odd_media(root / "odd")
    (root / "auditor/manifest.json").unlink()  # its digests would refuse every change before it is read
    (root / "pairs/expressions.csv").write_text('mask,expression,object\np0.png,"the big, ""brown"" dog",dog\n')
    (root / "answer.txt").write_text(response_of("gt", 1.0, "accept"))
    shutil.copy("deepspeed/stage2-offload.json", root / DEEPSPEED)
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b.c": torch.ones(4, dtype=torch.bfloat16)}
    save_file(tensors, root / "w.safetensors")
    torch.save(tensors, root / "w.bin")
    sweep = "results: results/x\ntests: [test_s]\nflags: {max_steps: 3}\ntables:\n  one:\n    first: {lora_r: 4}\n"
    (root / "sweep.yaml").write_text(sweep)
    objects = [{"name": "cat", "segmentation": encode_rle(NEGATIVES[0])}]
    (root / "negatives.jsonl").write_text(json.dumps({"uid": "vB_dog_1", "frame": 3, "objects": objects}))
    talk = [{"value": "<image>\nWhat is this?"}, {"value": "A dog."}]
    (root / "captions.json").write_text(json.dumps([{"image": "media/vB/frames/3.jpg", "conversations": talk}]))


def write_odd_media(folder: Path) -> None:
    """Masks, sounds and a video of rarer kinds."""
    import av
    import cv2
    import numpy as np
    import soundfile
    from PIL import Image

    from tests.right_benchmark import GT

    folder.mkdir()
    white = GT.astype(np.uint8) * 255
    cv2.imwrite(str(folder / "deep.png"), np.dstack([white.astype(np.uint16) * 257] * 4))
    Image.fromarray(np.dstack([white] * 4)).save(folder / "opaque.webp", quality=60)
    Image.fromarray(white).save(folder / "lossy.jpg")
    Image.fromarray(white).save(folder / "colours.gif")
    for name in ("a.flac", "a.ogg", "a.mp3", "a.aiff", "a.w64"):
        soundfile.write(folder / name, 0.3 * np.sin(np.arange(32_000) / 9), 16_000)
    with av.open(str(folder / "v.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(0, 200, 20):
            picture = np.full((48, 64, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def fuzz(reader: Reader, root: Path, number: int, seed: int) -> Iterator[tuple[int, BaseException]]:
    """(number of the case, error) of every changed file with which the reader breaks. The file is put back."""
    right = (root / reader.where).read_bytes()
    for case in range(number):
        dice = random.Random(f"{seed} {reader.name} {case}")
        (root / reader.where).write_bytes(reader.change(right, dice))
        try:
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                reader.read(root)
        except (OSError, ValueError, ImportError):
            pass
        except SystemExit as error:
            if error.code not in (0, 2):
                yield case, error
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            yield case, error
    (root / reader.where).write_bytes(right)
