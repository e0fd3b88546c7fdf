#!/usr/bin/env bash
# Ask another auditor about a test split, and score its answers: a server, or a model in a local folder.
# Variables, flags follow:
#   MODEL_DIR=pretrained_weights/Qwen2.5-Omni-7B bash scripts/evaluate/baseline.sh [--flag ...]
#   SERVER=http://localhost:8000/v1 MODEL=Qwen/Qwen3-Omni-30B-A3B-Instruct bash scripts/evaluate/baseline.sh [--flag ...]
# A variable that is not set leaves the setting to the program (python -m scripts.evaluate.baseline --help).
# Run it again after an interruption: it asks only what is missing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_variable, add_flags, PYTHON

# SERVER: the address before /chat/completions. MODEL: the model's name there.
# KEY_VARIABLE: the name of the variable that holds the key, such as GEMINI_API_KEY; never the key itself.
# MODEL_DIR: the folder of a local transformers model, instead of a server. DEVICE: cuda:N or cpu.
# DTYPE: auto, float32, bfloat16 or float16. QUANTIZATION: none, 8bit or 4bit. BATCH_SIZE: 0 takes as many as fit.
path_variable MODEL_DIR
path_variable MQ_RAVSBENCH_DIR
path_variable OUTPUT_DIR
path_variable PRICES # a YAML file: model: {input: USD for a million tokens, output: USD}
# TEST_NAME: test_s (seen) or test_u (unseen). REFAVS_EVAL_MODE: image or video.
# VIEW: mask (published), mask_and_masked_frame, overlay, outline or crop. MAX_VIDEOS: 0 takes all.
# MAX_COST: USD, needs PRICES. AT_ONCE: requests under way at a time.
add_flags server:SERVER model:MODEL key_variable:KEY_VARIABLE data_dir:MQ_RAVSBENCH_DIR output_dir:OUTPUT_DIR \
    prices:PRICES max_cost:MAX_COST test_name:TEST_NAME eval_mode:REFAVS_EVAL_MODE view:VIEW max_videos:MAX_VIDEOS \
    max_new_tokens:MAX_NEW_TOKENS at_once:AT_ONCE model_dir:MODEL_DIR device:DEVICE dtype:DTYPE \
    quantization:QUANTIZATION batch_size:BATCH_SIZE
exec "$PYTHON" -m scripts.evaluate.baseline "${flags[@]}" "$@"
