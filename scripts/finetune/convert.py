"""Convert a trained auditor between our folder and the released pair of files, in the direction that SOURCE asks for.

python -m scripts.finetune.convert --source checkpoints/MQ-Auditor --target checkpoints/pair [--step 960]
python -m scripts.finetune.convert --source checkpoints/pair --target checkpoints/MQ-Auditor [--lora_alpha 64 ...]
"""

from __future__ import annotations

import sys

from configs.arguments import ConversionArguments, ModelArguments
from models.auditor.build import expected_state
from models.auditor.trainable import check_state
from models.weights.checkpoint import find_auditor, is_auditor_folder, read_auditor, write_folder
from models.weights.published import write_pair
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("convert", (ModelArguments, ConversionArguments), convert, argv, __doc__)


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


if __name__ == "__main__":
    sys.exit(main())
