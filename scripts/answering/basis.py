"""What decides an answer, as digests: an answer of an interrupted run holds as long as they are the same.

Weights and settings are digested as they are in memory, media byte by byte. So paths, file times, devices, batch sizes
and file formats do not matter.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from configs.model import ModelArguments
from configs.runtime import AnsweringArguments
from dataset.batches.audit_dataset import AuditDataset
from dataset.benchmark.samples import AuditSample
from dataset.features.names import how_built, state_digest
from models.auditor.trainable import learns
from models.weights.bundle import AuditorBundle
from scripts.answering.answerer import AuditRequest

logger = logging.getLogger("inference")

Basis = dict[str, object]
# The parts of a basis: what is said where one of them is another one than that of a stored answer.
MEANINGS = {
    "auditor": "other weights or settings of the auditor",
    "bases": "other weights or settings of its bases",
    "settings": "other settings",
    "prompt": "another prompt",
    "frames": "other frames",
    "sound": "another sound",
    "mask": "another mask",
}
# These do not change the answers of an LLM: where it lies, and what wrote its config.
PASSING = ("_name_or_path", "architectures", "bases", "dtype", "torch_dtype", "transformers_version")


def model_basis(bundle: AuditorBundle, model_args: ModelArguments, args: AnsweringArguments, dtype: str) -> Basis:
    """What decides all answers of a run. To be called on an auditor as it was loaded, before LoRA is merged."""
    auditor, tokenizer = bundle.auditor, bundle.tokenizer
    tensors = auditor.state_dict().items()
    total = sum(tensor.nbytes for _, tensor in tensors) / 10**9
    if total > 1:
        logger.info("digesting %.1f GB of weights", total)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    tokens = backend.to_str() if backend is not None else sorted(tokenizer.get_vocab().items())
    return {
        "auditor": state_digest(
            ((name, tensor) for name, tensor in tensors if learns(name)),
            *(_plain_config(auditor.config), sorted(bundle.pixels.items()), auditor.stop_ids(), tokens),
        ),
        "bases": state_digest(
            ((name, tensor) for name, tensor in tensors if not learns(name)),
            *(_plain_config(auditor.language_model.config), how_built(auditor)),
        ),
        "settings": {
            "max_new_tokens": args.max_new_tokens,
            "dtype": dtype,
            "merge_lora": args.merge_lora,
            "quantization": model_args.quantization,
        },
    }


def _plain_config(config) -> str:
    content = {key: value for key, value in config.to_dict().items() if key not in PASSING}
    return json.dumps(content, sort_keys=True, default=str)


def request_bases(dataset: AuditDataset, requests: list[AuditRequest], model: Basis) -> list[Basis]:
    """The basis of each request; each file is read once."""
    media = [_media(dataset, request) for request in requests]
    digests = _file_digests(path for files in media for paths in files.values() for path in paths)
    prompts: dict[AuditSample, str] = {}
    bases = []
    for request, files in zip(requests, media, strict=True):
        sample = request.sample
        if sample not in prompts:
            prompts[sample] = _short(dataset.prompt(sample, request.candidate).tolist())
        parts = {name: _short([digests[path] for path in paths]) for name, paths in files.items()}
        bases.append(model | {"prompt": prompts[sample]} | parts)
    return bases


def why_not(then: Basis, now: Basis) -> str | None:
    """Why an answer with the basis `then` does not hold; None if it does."""
    if then == now:
        return None
    parts = [name for name in MEANINGS if then.get(name) != now.get(name)]
    return ", ".join(_difference(name, then.get(name), now.get(name)) for name in parts) or "another format"


def _difference(name: str, then: object, now: object) -> str:
    if not (isinstance(then, dict) and isinstance(now, dict)):
        return MEANINGS[name]
    return ", ".join(f"{key} {then.get(key)} -> {now[key]}" for key in now if then.get(key) != now[key])


def _media(dataset: AuditDataset, request: AuditRequest) -> dict[str, list[Path]]:
    """The files that a request shows, by part of the basis."""
    frames, sounds = dataset.media_of(request.sample)
    return {"frames": frames, "sound": sounds, "mask": [request.candidate.mask_path]}


def _file_digests(paths: Iterable[Path]) -> dict[Path, str]:
    distinct = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda path: hashlib.sha256(path.read_bytes()).hexdigest(), distinct)
        return dict(zip(distinct, tqdm(found, "digesting media", len(distinct), False, unit="file"), strict=True))


def _short(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
