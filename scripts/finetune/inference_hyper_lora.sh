#!/usr/bin/env bash
# Audit a test split of MQ-RAVSBench and score the audits. Every variable can be set from outside:
#   TEST_NAME=test_u REFAVS_EVAL_MODE=video bash scripts/finetune/inference_hyper_lora.sh [--flag value ...]
# An interrupted run goes on where it stopped when it is started again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_variable, collect_part_flags, PYTHON

path_variable PRETRAINED_WEIGHTS_DIR pretrained_weights
# Left empty, a part lies under PRETRAINED_WEIGHTS_DIR by its published name (pretrained_weights/README.md).
path_variable LLAMA2_CKPT_PATH
path_variable CLIP_CKPT_PATH
path_variable BEATS_CKPT_PATH
path_variable BERT_CKPT_PATH
path_variable MQ_RAVSBENCH_DIR ../MQ-RAVSBench
path_variable MQ_AUDITOR_CKPT_DIR checkpoints/MQ-Auditor
path_variable OUTPUT_DIR results/MQ-Auditor
path_variable FEATURE_CACHE_DIR # where features of the frozen encoders are kept between runs; empty: nowhere

TEST_NAME=${TEST_NAME:-test_s}                           # test_s (seen) or test_u (unseen)
REFAVS_EVAL_MODE=${REFAVS_EVAL_MODE:-image}              # image or video
REFAVS_MASK_TYPE_FILTER=${REFAVS_MASK_TYPE_FILTER:-all}  # all, perfect, cutout, dilate, erode, merge or full_neg
REFAVS_MASK_RANK_FILTER=${REFAVS_MASK_RANK_FILTER:--1}   # -1 all, 1 hard, 2 medium
REFAVS_MASK_ENCODE_MODE=${REFAVS_MASK_ENCODE_MODE:-}     # empty: as trained (released: mask_and_masked_frame)
DEVICE=${DEVICE:-cuda:0}
BATCH_SIZE=${BATCH_SIZE:-0}                               # masks together; 0: as many as fit into memory
MAX_NEW_TOKENS=${MAX_NEW_TOKENS:-256}
LORA_R=${LORA_R:-32}                                     # for the released pair, which does not say it
LORA_ALPHA=${LORA_ALPHA:-64}

collect_part_flags
exec "$PYTHON" -m scripts.evaluate.run \
    "${part_flags[@]}" \
    --data_dir "$MQ_RAVSBENCH_DIR" --auditor_dir "$MQ_AUDITOR_CKPT_DIR" --output_dir "$OUTPUT_DIR" \
    --test_name "$TEST_NAME" --eval_mode "$REFAVS_EVAL_MODE" \
    --mask_type_filter "$REFAVS_MASK_TYPE_FILTER" --mask_rank_filter "$REFAVS_MASK_RANK_FILTER" \
    ${REFAVS_MASK_ENCODE_MODE:+--mask_encode_mode "$REFAVS_MASK_ENCODE_MODE"} \
    --lora_r "$LORA_R" --lora_alpha "$LORA_ALPHA" \
    ${FEATURE_CACHE_DIR:+--feature_cache_dir "$FEATURE_CACHE_DIR"} \
    --device "$DEVICE" --batch_size "$BATCH_SIZE" --max_new_tokens "$MAX_NEW_TOKENS" "$@"
