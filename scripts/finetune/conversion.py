"""The work of scripts.finetune.convert: read one format, check it, write the other."""

from __future__ import annotations

from configs.conversion import ConversionArguments
from configs.model import ModelArguments
from models.auditor.build import AUDITOR, Kind, expected_state
from models.auditor.trainable import check_state
from models.thinker.build import THINKER
from models.weights.checkpoint import find_auditor, is_auditor_folder, read_auditor, write_folder
from models.weights.published import write_pair

KINDS: dict[str, Kind] = {"auditor": AUDITOR, "thinker": THINKER}


def convert(model_args: ModelArguments, args: ConversionArguments) -> None:
    """Read the source, check it against the model that it is for, and write the other format."""
    kind = KINDS[args.model]
    source = find_auditor(args.source, kind)
    parts = read_auditor(source, model_args, kind)
    config, state = parts.config, parts.state
    check_state(expected_state(kind, config, model_args, state), state, str(source))
    if is_auditor_folder(source, kind):
        if kind is AUDITOR and config.without:
            inputs = ", ".join(config.without)
            raise ValueError(f"{source}: trained without {inputs}, which the released pair cannot say")
        written = write_pair(state, args.target, args.step)
        settings = f"LORA_R={config.lora['r']} LORA_ALPHA={config.lora['lora_alpha']}"
        if targets := config.lora.get("target_modules"):
            settings += f" --lora_targets {' '.join(targets)}"
        if kind is AUDITOR:
            settings += f" REFAVS_MASK_ENCODE_MODE={config.mask_encode_mode}"
        print(f"the pair does not say how to read it: {settings}")
    else:
        written = [write_folder(parts, args.target, kind)]
    print(f"written: {' and '.join(map(str, written))}")
