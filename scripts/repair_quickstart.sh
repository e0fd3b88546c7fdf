#!/usr/bin/env bash
# After scripts/quickstart.sh: a mini Ref-Thinker learns to name the object that an expression means; the mini segmenter
# makes masks of the raw expressions and of the thinker's objects in the test videos; the quickstart's auditor audits
# both, every policy repairs them, and the paper's Table 7 is printed for this world.
# Run it again after an interruption: what is learned, segmented or audited is not done again.
# Of another quickstart: RESULTS=results/quickstart_1 bash scripts/repair_quickstart.sh [--flag of improve ...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh" # path_variable, forget_settings, PYTHON
forget_settings                                   # settings of a full-size run must not be used here
path_variable RESULTS "$PWD/results/quickstart"
path_variable MINI_WEIGHTS_DIR "$PWD/pretrained_weights/mini"
REPAIR=$RESULTS/repair
TRAIN_SEED=${TRAIN_SEED:-42} # of the thinker
THINKER_STEPS=${THINKER_STEPS:-300}
whole_number TRAIN_SEED 0
whole_number THINKER_STEPS 1
export PYTHON PRETRAINED_WEIGHTS_DIR=$MINI_WEIGHTS_DIR REFAVS_DIR=$RESULTS/world R2AVSBENCH_DIR=$REPAIR/thinking
export DEVICE=cpu CUDA_VISIBLE_DEVICES= # always on the CPU: small models, and numbers that do not depend on a GPU
for needed in world/facts.json MQ-Auditor/config.json; do
    if [ ! -f "$RESULTS/$needed" ]; then
        echo "$RESULTS: expected what scripts/quickstart.sh writes, got no $needed; run it first" >&2
        exit 2
    fi
done

say() { echo; echo "[$((SECONDS / 60)) min $((SECONDS % 60)) s] $*"; }
splits=(test_s test_u)
segmenter=(--segmenter clipseg --segmenter_path "$MINI_WEIGHTS_DIR/clipseg")
segment() { # FOLDER [FLAG ...]
    [ -f "$1/segmentation.json" ] || "$PYTHON" -m scripts.segment.run --data_dir "$RESULTS/world" \
        --test_name "${splits[@]}" --device cpu "${segmenter[@]}" --one_region true \
        --soft_masks true --output_dir "$@"
}
improve() { # MASKS FOLDER [FLAG ...]
    local masks=$1 folder=$2
    shift 2
    "$PYTHON" -m scripts.segment.improve --masks "$masks" --output_dir "$folder" --auditor "$RESULTS/MQ-Auditor" \
        --pretrained_weights_dir "$MINI_WEIGHTS_DIR" --data_dir "$RESULTS/world" --test_name "${splits[@]}" --device cpu \
        "${segmenter[@]}" --facts "$RESULTS/world/facts.json" --merge_lora true --batch_size 128 \
        --max_new_tokens 96 "$@"
}

say "1/4 a thinker learns to name objects, and names those of the test expressions"
"$PYTHON" -m scripts.think.make_tuning_set --data_dir "$RESULTS/world" --output_dir "$R2AVSBENCH_DIR"
[ -f "$REPAIR/Ref-Thinker/trainer_state.json" ] || OUTPUT_DIR=$REPAIR/Ref-Thinker MAX_STEPS=$THINKER_STEPS \
    RECIPE=configs/recipes/quickstart_thinker.yaml FEATURE_CACHE_DIR=$RESULTS/features \
    bash scripts/think/finetune_ref_thinker.sh --seed "$TRAIN_SEED"
for split in "${splits[@]}"; do
    TEST_NAME=$split OUTPUT_DIR=$REPAIR/answers REF_THINKER_CKPT_DIR=$REPAIR/Ref-Thinker BATCH_SIZE=32 \
        MAX_NEW_TOKENS=120 bash scripts/think/inference_ref_thinker.sh --merge_lora true
done
cat "$REPAIR"/answers/refavs_test_[su]/inference_results.jsonl >"$REPAIR/answers.jsonl"
say "2/4 masks of the raw expressions and of the thinker's objects, by the mini segmenter"
segment "$REPAIR/masks" --prompt expression
segment "$REPAIR/thinker_masks" --prompt f_object --answers "$REPAIR/answers.jsonl"
say "3/4 audits and repairs of the masks of the raw expressions"
improve "$REPAIR/masks" "$REPAIR/repaired" "$@"
say "4/4 audits and repairs of the masks of the thinker's objects"
improve "$REPAIR/thinker_masks" "$REPAIR/thinker_repaired" --answers "$REPAIR/answers.jsonl" "$@"
say "done: $REPAIR/repaired, $REPAIR/thinker_repaired"
