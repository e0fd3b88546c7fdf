"""torchrun that ends as its processes do: python -m scripts.processes --nproc_per_node 2 -m scripts.finetune...

The flags are those of torchrun (`torchrun --help`). The exit code is that of the process which failed first, whose own
sentence says why, and nothing is added to it. After SIGTERM or Ctrl-C the processes get TORCH_ELASTIC_SHUTDOWN_TIMEOUT
seconds to save what they have (default here: 300).
"""

from __future__ import annotations

import logging
import os
import signal
import sys

LONG_ENOUGH = "300"  # seconds for one more step and its checkpoint


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", LONG_ENOUGH)
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    arguments = parse_args(argv)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        run(arguments)
    except SignalException as stopped:
        return 128 + stopped.sigval
    except ChildFailedError as failed:
        rank, failure = failed.get_first_failure()
        if failure.exitcode >= 0:
            return failure.exitcode
        print(f"process {rank} was ended by {signal.Signals(-failure.exitcode).name}", file=sys.stderr)
        return 128 - failure.exitcode
    return 0


if __name__ == "__main__":
    sys.exit(main())
