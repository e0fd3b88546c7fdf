#!/usr/bin/env bash
# After scripts/quickstart.sh: the mini segmenter makes masks of the raw expressions of its test videos, the quickstart's
# auditor audits them, every policy repairs them, and the paper's Table 7 is printed for this world.
# Run it again after an interruption: what is segmented or audited is not done again.
# Of another quickstart: RESULTS=results/quickstart_1 bash scripts/repair_quickstart.sh [--flag of improve ...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh" # path_variable, forget_settings, PYTHON
forget_settings                                   # settings of a full-size run must not be used here
path_variable RESULTS "$PWD/results/quickstart"
path_variable MINI_WEIGHTS_DIR "$PWD/pretrained_weights/mini"
OUTPUT_DIR=$RESULTS/repair
export CUDA_VISIBLE_DEVICES= # always on the CPU: small models, and numbers that do not depend on a GPU
for needed in world/facts.json MQ-Auditor/config.json; do
    if [ ! -f "$RESULTS/$needed" ]; then
        echo "$RESULTS: expected what scripts/quickstart.sh writes, got no $needed; run it first" >&2
        exit 2
    fi
done

say() { echo; echo "[$((SECONDS / 60)) min $((SECONDS % 60)) s] $*"; }
splits=(--test_name test_s test_u)

say "1/2 masks of the raw expressions, by the mini segmenter"
[ -f "$OUTPUT_DIR/masks/segmentation.json" ] || "$PYTHON" -m scripts.segment.run --data_dir "$RESULTS/world" "${splits[@]}" \
    --prompt expression --device cpu --segmenter clipseg --segmenter_path "$MINI_WEIGHTS_DIR/clipseg" --one_region true \
    --soft_masks true --output_dir "$OUTPUT_DIR/masks"
say "2/2 audits and repairs"
"$PYTHON" -m scripts.segment.improve --masks "$OUTPUT_DIR/masks" --auditor "$RESULTS/MQ-Auditor" \
    --pretrained_weights_dir "$MINI_WEIGHTS_DIR" --data_dir "$RESULTS/world" "${splits[@]}" --device cpu \
    --segmenter clipseg --segmenter_path "$MINI_WEIGHTS_DIR/clipseg" --facts "$RESULTS/world/facts.json" \
    --output_dir "$OUTPUT_DIR/repaired" --merge_lora true --batch_size 128 --max_new_tokens 96 "$@"
say "done: $OUTPUT_DIR/repaired"
