"""Asking other auditors: multimodal LLMs from local folders, and services behind an API."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from configs.ranges import check_ranges
from configs.runtime import DeviceArguments
from utils.reading.reply import LENIENT, READERS
from utils.splits import EVAL_MODES, TEST_NAMES

VIEWS = ("mask", "mask_and_masked_frame", "overlay", "outline", "crop")
ASK_AGAIN = ("refused", "filtered", "cut_off", "empty")


@dataclass(kw_only=True)
class BaselineArguments:
    """Who is asked about which masks, and how."""

    model: str | None = field(
        default=None,
        metadata={"help": "Name of the model as the server knows it. Default with --model_dir: the folder's name."},
    )
    data_dir: str = field(default="../MQ-RAVSBench", metadata={"help": "Folder of MQ-RAVSBench."})
    output_dir: str | None = field(
        default=None, metadata={"help": "Where the run's folder is written. Default: results/<model>"}
    )
    test_name: str = field(default="test_s", metadata={"help": "Split.", "choices": TEST_NAMES})
    eval_mode: str = field(default="image", metadata={"help": "Protocol.", "choices": EVAL_MODES})
    mask_type_filter: str = field(default="all", metadata={"help": "all, or one mask type."})
    mask_rank_filter: int = field(default=-1, metadata={"help": "-1: all ranks; 1: hard; 2: medium."})
    on_bad_sample: str = field(
        default="fail", metadata={"help": "fail, or skip and count.", "choices": ("fail", "skip")}
    )
    max_videos: int = field(default=0, metadata={"help": "Only so many videos, drawn by --seed; 0: all."})
    seed: int = field(default=0, metadata={"help": "Draws videos and examples."})
    view: str = field(default="mask", metadata={"help": "How the mask is shown. mask: as published.", "choices": VIEWS})
    media: list[str] = field(
        default_factory=lambda: ["sound", "video", "frame", "mask"],
        metadata={
            "help": "What is sent; none: the words alone. A model that cannot hear gets no sound.",
            "metavar": "MEDIUM",
        },
    )
    examples: int = field(default=0, metadata={"help": "Training masks with their audits that go before the question."})
    max_new_tokens: int = field(default=512, metadata={"help": "Longest answer, in tokens, with its thinking."})
    level: str = field(default=LENIENT, metadata={"help": "How replies are read.", "choices": READERS})
    ask_again: list[str] = field(
        default_factory=list,
        metadata={"help": f"Kinds of replies that are asked again: {', '.join(ASK_AGAIN)}.", "metavar": "KIND"},
    )

    def __post_init__(self):
        known = {"sound", "video", "frame", "mask"}
        self.media = [] if self.media == ["none"] else self.media
        if self.media and not (set(self.media) <= known and "mask" in self.media):
            expected = "expected mask and any of sound, video, frame, or none"
            raise ValueError(f"--media: {expected}, got {' '.join(self.media)}")
        if not set(self.ask_again) <= set(ASK_AGAIN):
            raise ValueError(f"--ask_again: expected {', '.join(ASK_AGAIN)}, got {' '.join(self.ask_again)}")
        for name, low in (("max_videos", 0), ("examples", 0), ("max_new_tokens", 1)):
            if getattr(self, name) < low:
                raise ValueError(f"--{name}: expected at least {low}, got {getattr(self, name)}")


@dataclass(kw_only=True)
class ServerArguments:
    """A server that speaks OpenAI's chat protocol, and how it is treated."""

    server: str | None = field(
        default=None, metadata={"help": "Address before /chat/completions, e.g. http://localhost:8000/v1"}
    )
    key_variable: str | None = field(
        default=None, metadata={"help": "Name of the environment variable that holds the key. Default: no key."}
    )
    temperature: float | None = field(default=0.0, metadata={"help": "Of sampling; 0: the likeliest answer."})
    extra_body: str = field(
        default="{}", metadata={"help": 'More fields of a request, as JSON: \'{"reasoning_effort": "low"}\'.'}
    )
    video_as: str = field(
        default="pictures",
        metadata={
            "help": "pictures: one for each frame (any server); jpeg_frames: a video of JPEG frames (vLLM).",
            "choices": ("pictures", "jpeg_frames"),
        },
    )
    at_once: int = field(default=8, metadata={"help": "Requests under way at a time, at most; fewer after a 429."})
    requests_per_minute: int = field(default=0, metadata={"help": "Limit; 0: none."})
    tokens_per_minute: int = field(default=0, metadata={"help": "Limit of prompt and answer together; 0: none."})
    timeout: float = field(default=120.0, metadata={"help": "Seconds until a request without a reply is given up."})
    most_tries: int = field(default=8, metadata={"help": "Tries for one mask."})
    most_seconds: float = field(default=900.0, metadata={"help": "Seconds for all tries of one mask, with waiting."})
    same_errors: int = field(
        default=5, metadata={"help": "The run stops when so many masks in a row have failed with the same error."}
    )
    on_dropped_media: str = field(
        default="stop",
        metadata={
            "help": "What to do if a medium does not change the number of prompt tokens: the server drops it. "
            "stop, or go on and mark the results.",
            "choices": ("stop", "mark"),
        },
    )
    prices: str | None = field(
        default=None,
        metadata={
            "help": "YAML file: model -> USD for a million tokens: input, output, optionally cached_input, audio_input."
        },
    )
    max_cost: float | None = field(default=None, metadata={"help": "USD; the run stops before it. Needs --prices."})
    estimate_only: bool = field(default=False, metadata={"help": "Print the estimate of tokens and price, and end."})

    def __post_init__(self):
        if self.server is not None and not re.fullmatch(r"https?://[^/@?#\s]+(/[^@?#\s]*)?", self.server):
            raise ValueError(
                "--server: expected an address that begins with http:// or https://, without a password or key"
            )
        if self.key_variable is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.key_variable):
            # The value may be the key itself: it is not repeated.
            raise ValueError("--key_variable: expected the name of an environment variable in capital letters")
        if self.max_cost is not None and not self.prices:
            raise ValueError("--max_cost: expected --prices beside it")
        for name, low in (("at_once", 1), ("most_tries", 1), ("same_errors", 1)):
            if getattr(self, name) < low:
                raise ValueError(f"--{name}: expected at least {low}, got {getattr(self, name)}")
        self.more_fields()

    def more_fields(self) -> dict:
        """`extra_body`. Raises ValueError if it is no JSON object."""
        try:
            fields = json.loads(self.extra_body)
        except ValueError as error:
            raise ValueError(f"--extra_body: expected a JSON object ({error})") from None
        if not isinstance(fields, dict):
            raise ValueError(f"--extra_body: expected a JSON object, got {type(fields).__name__}")
        return fields


@dataclass(kw_only=True)
class LocalArguments(DeviceArguments):
    """A model in a local transformers folder, instead of a server."""

    model_dir: str | None = field(default=None, metadata={"help": "Folder of the model. Nothing is downloaded."})
    quantization: str = field(
        default="none",
        metadata={"help": "Linear layers in 8 or 4 bits, with bitsandbytes.", "choices": ("none", "8bit", "4bit")},
    )
    max_memory_gb: float | None = field(
        default=None,
        metadata={"help": "Memory for audits, of the GPU or else of the machine. Default: most of what is free."},
    )
    batch_size: int = field(
        default=0, metadata={"help": "Masks asked about together, at most. 0: as many as fit, measured."}
    )

    def __post_init__(self):
        if self.batch_size < 0:
            raise ValueError(f"--batch_size: expected at least 0, got {self.batch_size}")
        check_ranges(self, {"max_memory_gb": (1e-3, 1e6)})
