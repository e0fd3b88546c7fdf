#!/usr/bin/env bash
# Audit a test split of MQ-RAVSBench and score the audits. Every variable below can be set from outside, flags follow:
#   TEST_NAME=test_u REFAVS_EVAL_MODE=video bash scripts/finetune/inference_hyper_lora.sh [--flag value ...]
# A variable that is not set leaves the setting to the program (python -m scripts.evaluate.run --help).
# Run it again after an interruption: answers that still hold are kept.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_variable, add_flags, add_part_flags, choose_processes

path_variable MQ_RAVSBENCH_DIR
path_variable MQ_AUDITOR_CKPT_DIR
path_variable OUTPUT_DIR
path_variable FEATURE_CACHE_DIR # where features of the frozen encoders are kept between runs; empty: nowhere

choose_processes # NPROC_PER_NODE, if it is not 1: the masks are shared by so many processes, each with its own GPU
add_part_flags
add_flags data_dir:MQ_RAVSBENCH_DIR auditor_dir:MQ_AUDITOR_CKPT_DIR output_dir:OUTPUT_DIR \
    feature_cache_dir:FEATURE_CACHE_DIR
# TEST_NAME: test_s (seen) or test_u (unseen). REFAVS_EVAL_MODE: image or video.
# REFAVS_MASK_TYPE_FILTER: all, or one mask type. REFAVS_MASK_RANK_FILTER: -1 all, 1 hard, 2 medium.
# REFAVS_MASK_ENCODE_MODE: default as trained. LORA_R, LORA_ALPHA: for the released pair, which does not say them.
# BATCH_SIZE: masks audited together; 0 takes as many as fit into memory.
add_flags test_name:TEST_NAME eval_mode:REFAVS_EVAL_MODE mask_type_filter:REFAVS_MASK_TYPE_FILTER \
    mask_rank_filter:REFAVS_MASK_RANK_FILTER mask_encode_mode:REFAVS_MASK_ENCODE_MODE \
    lora_r:LORA_R lora_alpha:LORA_ALPHA device:DEVICE batch_size:BATCH_SIZE max_new_tokens:MAX_NEW_TOKENS
exec "${launcher[@]}" -m scripts.evaluate.run "${flags[@]}" "$@"
