"""What all programs share: logging, arguments, the device, and errors that end in one sentence.

torch is imported only where it is needed, so that `--help` and programs without a model start at once.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from configs.parsing import parse_arguments
from configs.runtime import DeviceArguments
from scripts.ranks import ToldElsewhere, end_with_launcher
from scripts.stopping import Stopped, ended_by_signals
from scripts.terminal import clean_streams, print_cleaned

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


def run_program(
    prog: str, argument_types: tuple, work: Callable, argv: list[str] | None, doc: str | None, level: int = logging.INFO
) -> int:
    """Parse `argv` and call `work` with one instance per argument type.

    Exit code 0, or the one that `work` gives; 2 after one sentence on stderr when the input is at fault (OSError,
    ValueError, ImportError); 128 + N when signal N stops it: 130 from the keyboard, 143 with SIGTERM. The first of
    several processes says so for all.
    """
    with clean_streams():
        return _run(prog, argument_types, work, argv, doc, level)


def _run(prog: str, argument_types: tuple, work: Callable, argv: list[str] | None, doc: str | None, level: int) -> int:
    start_logging(level)
    arguments = parse_arguments(argument_types, argv, prog, doc)
    try:
        with ended_by_signals():
            code = work(*arguments)
    except ToldElsewhere:
        return 2
    except Stopped as stopped:
        if os.environ.get("RANK", "0") == "0":
            print(f"{prog}: {stopped}", file=sys.stderr)
        return 128 + stopped.signum
    except (OSError, ValueError, ImportError) as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{prog}: stopped by the keyboard", file=sys.stderr)
        return 130
    return code or 0


def run_distributed_program(
    prog: str, argument_types: tuple, work: Callable, argv: list[str] | None, doc: str | None
) -> int:
    """`run_program` for work of several processes; their process group is closed at the end.

    If there are several, each process ends right after its exit handlers, without Python's usual clean-up. During the
    clean-up a thread of the group may still hold a tensor, and the process would abort although its work is done
    (pytorch/pytorch#179291).
    """
    end_with_launcher()
    ended: list[int] = []

    def leave() -> None:
        if ended:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ended[0])

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        atexit.register(leave)  # registered first, so run after the handlers of every tracker
    try:
        ended.append(run_program(prog, argument_types, work, argv, doc))
    finally:
        torch = sys.modules.get("torch")  # absent where the work has not begun, e.g. after --help
        if torch and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    return ended[0]


def start_logging(level: int) -> None:
    """Log messages of at least `level` to stderr; leave out the libraries' notes to developers.

    If there are several processes, only the first one logs; the others log errors only.
    """
    level = level if os.environ.get("RANK", "0") == "0" else logging.ERROR
    logging.basicConfig(level=level, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S")
    sys.excepthook = print_cleaned
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # read by transformers and huggingface_hub when they are imported
    os.environ["TRANSFORMERS_VERBOSITY"] = "warning"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    # renamings announced for transformers 6, which peft and our supported range of versions still cross
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def resolve_runtime(args: DeviceArguments) -> tuple[torch.device, torch.dtype]:
    """The device and dtype to use: the CPU if there is no GPU; by default float32 on a CPU, bfloat16 on a GPU.

    Raises ValueError for a device that does not exist.
    """
    import torch

    device = resolve_device(args.device)
    if args.dtype != "auto":
        return device, getattr(torch, args.dtype)
    return device, torch.float32 if device.type == "cpu" else torch.bfloat16


def resolve_device(name: str) -> torch.device:
    """The device of this name, or the CPU if there is no GPU. Raises ValueError for a GPU that does not exist."""
    import torch

    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"--device: expected cpu or cuda:N, got '{name}'") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        logger.warning("no GPU found: %s is replaced by the CPU", name)
        return torch.device("cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"--device: expected cuda:0 to cuda:{torch.cuda.device_count() - 1}, got '{name}'")
    return device
