"""Linear layers in 8 or 4 bits, by bitsandbytes."""

from __future__ import annotations

import torch
from transformers import BitsAndBytesConfig
from transformers.utils import is_bitsandbytes_available


def quantized_layers(quantization: str, dtype: torch.dtype) -> dict:
    """Options of `from_pretrained` for none, 8bit or 4bit (NF4 with doubly quantised scales, as QLoRA has it).

    Raises ImportError without bitsandbytes.
    """
    if quantization == "none":
        return {}
    if not is_bitsandbytes_available():
        raise ImportError(f"--quantization {quantization}: expected bitsandbytes, got none (pip install bitsandbytes)")
    four = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": dtype}
    return {"quantization_config": BitsAndBytesConfig(**{f"load_in_{quantization}": True}, **four)}
