"""The work of scripts.finetune.convert: read one format, check it, write the other."""

from __future__ import annotations

from configs.conversion import ConversionArguments
from configs.model import ModelArguments
from models.auditor.build import expected_state
from models.auditor.trainable import check_state
from models.weights.checkpoint import find_auditor, is_auditor_folder, read_auditor, write_folder
from models.weights.published import write_pair


def convert(model_args: ModelArguments, args: ConversionArguments) -> None:
    """Read the source, check it against the model that it is for, and write the other format."""
    source = find_auditor(args.source)
    parts = read_auditor(source, model_args)
    config, state = parts.config, parts.state
    check_state(expected_state(config, model_args, state), state, str(source))
    if is_auditor_folder(source):
        if config.without:
            inputs = ", ".join(config.without)
            raise ValueError(f"{source}: trained without {inputs}, which the released pair cannot say")
        written = write_pair(state, args.target, args.step)
        lora = f"LORA_R={config.lora['r']} LORA_ALPHA={config.lora['lora_alpha']}"
        print(f"the pair does not say how to read it: {lora} REFAVS_MASK_ENCODE_MODE={config.mask_encode_mode}")
    else:
        written = [write_folder(parts, args.target)]
    print(f"written: {' and '.join(map(str, written))}")
