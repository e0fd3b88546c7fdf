#!/usr/bin/env bash
# Build MQ-RAVSBench from Ref-AVSBench. Every variable can be set from outside, flags follow:
#   REF_AVSBENCH_DIR=data/Ref-AVSBench MQ_RAVSBENCH_DIR=data/MQ-RAVSBench \
#       bash scripts/benchmark/build_mq_ravsbench.sh [--seed 1] [--flag value ...]
# Run it again after an interruption: it continues where it stopped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_variable, PYTHON

path_variable REF_AVSBENCH_DIR ../Ref-AVSBench
path_variable MQ_RAVSBENCH_DIR ../MQ-RAVSBench

exec "$PYTHON" -m scripts.benchmark.build --source_dir "$REF_AVSBENCH_DIR" --output_dir "$MQ_RAVSBENCH_DIR" "$@"
