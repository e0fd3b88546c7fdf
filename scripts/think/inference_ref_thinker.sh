#!/usr/bin/env bash
# Let Ref-Thinker name the objects of a split's expressions. Every variable can be set from outside, flags follow:
#   TEST_NAME=test_u BENCHMARK=r2avs bash scripts/think/inference_ref_thinker.sh [--flag value ...]
# A variable that is not set leaves the setting to the program (python -m scripts.think.run --help).
# Run it again after an interruption, with the same settings and paths spelled the same way: it continues after its last
# answer. With other settings it starts from the first expression.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_variable, add_flags, add_part_flags, PYTHON

path_variable REFAVS_DIR     # holds media, media_cross and the metadata
path_variable R2AVSBENCH_DIR # may hold the metadata
path_variable REF_THINKER_CKPT_DIR
path_variable OUTPUT_DIR
path_variable FEATURE_CACHE_DIR # where features of the frozen encoders are kept between runs; empty: nowhere

add_part_flags
add_flags data_dir:REFAVS_DIR metadata_dir:R2AVSBENCH_DIR thinker_dir:REF_THINKER_CKPT_DIR output_dir:OUTPUT_DIR \
    feature_cache_dir:FEATURE_CACHE_DIR
# TEST_NAME: test_s (seen), test_u (unseen) or test_n (null). BENCHMARK: refavs or r2avs.
# LORA_R, LORA_ALPHA: for the released pair, which does not say them (8, 16).
# BATCH_SIZE: expressions answered together; 0 takes as many as fit into memory. Any size gives the same answers.
add_flags test_name:TEST_NAME benchmark:BENCHMARK lora_r:LORA_R lora_alpha:LORA_ALPHA device:DEVICE \
    batch_size:BATCH_SIZE max_new_tokens:MAX_NEW_TOKENS
exec "$PYTHON" -m scripts.think.run "${flags[@]}" "$@"
