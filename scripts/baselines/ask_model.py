"""A job asked of a model in a local folder."""

from __future__ import annotations

import logging
from dataclasses import asdict

from configs.baselines import LocalArguments
from models.others.chat_model import ChatModel
from models.others.load import folder_digest, load_chat_model
from scripts.answering.audit_loop import audit_all
from scripts.answering.records import record_of
from scripts.baselines.job import Job, Records
from scripts.baselines.local_answerer import LocalAnswerer
from scripts.memory import MemoryBudget
from scripts.program import resolve_runtime

logger = logging.getLogger("baseline")


def ask_model(job: Job, local: LocalArguments) -> None:
    """Load the model, ask it, and finish the job."""
    device, dtype = resolve_runtime(local)
    basis = {"model": folder_digest(local.model_dir), "dtype": str(dtype), "quantization": local.quantization}
    basis["max_new_tokens"] = job.args.max_new_tokens
    model = load_chat_model(local.model_dir, device, dtype, local.quantization)
    media = taken_media(job, model)
    budget = MemoryBudget(device, local.max_memory_gb)
    asking = job.asking(media)
    answerer = LocalAnswerer(model, job.kept, asking, basis, budget, job.args.max_new_tokens, local.batch_size)
    logger.info("%s: %d questions to ask", job.model, answerer.missing(job.requests))
    records = Records()
    audit_all(answerer, job.requests, records, record_of, title=f"asking about {job.args.test_name}")
    settings = {"media": list(media), "resolved_dtype": str(dtype), "resolved_device": str(device)}
    job.finish(records, answerer.questions, asdict(local) | settings | {"kind": type(model).__name__})


def taken_media(job: Job, model: ChatModel) -> tuple[str, ...]:
    """Those of --media that the model takes; what it does not take is said."""
    taken = tuple(medium for medium in job.args.media if medium in model.media)
    if left := [medium for medium in job.args.media if medium not in taken]:
        logger.warning("%s takes no %s: asked without", job.model, " and no ".join(left))
    return taken
