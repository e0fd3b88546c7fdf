#!/usr/bin/env bash
# Make the parts of the mini auditor anew, on drawn worlds of their own, on two CPU cores:
#   WEIGHTS_DIR=results/mini_parts bash scripts/pretrain/mini/make_parts.sh
# Run it again after an interruption: it continues where it stopped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../launch.sh" # path_variable, forget_settings, PYTHON
forget_settings
path_variable WEIGHTS_DIR "$PWD/results/mini_parts"
path_variable WORK_DIR "$WEIGHTS_DIR/work"
export CUDA_VISIBLE_DEVICES= PYTHON # always on the CPU: small models, and numbers that do not depend on a GPU

"$PYTHON" -m scripts.pretrain.mini.parts "$WEIGHTS_DIR" "$WORK_DIR"
"$PYTHON" -m scripts.pretrain.mini.grounding "$WEIGHTS_DIR" "$WORK_DIR"
"$PYTHON" -m scripts.pretrain.mini.segmenter "$WEIGHTS_DIR" "$WORK_DIR"
echo "written: $WEIGHTS_DIR"
