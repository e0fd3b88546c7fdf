#!/usr/bin/env bash
# Fine-tune MQ-Auditor with the published settings. Every variable can be set from outside:
#   MQ_RAVSBENCH_DIR=/data/MQ-RAVSBench NPROC_PER_NODE=8 bash scripts/finetune/finetune_hyperlora.sh [--flag value ...]
# Run it again to go on from the newest checkpoint in OUTPUT_DIR.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_variable, choose_machine, collect_part_flags, PYTHON

path_variable PRETRAINED_WEIGHTS_DIR pretrained_weights
# Left empty, a part lies under PRETRAINED_WEIGHTS_DIR by its published name (pretrained_weights/README.md).
path_variable LLAMA2_CKPT_PATH
path_variable CLIP_CKPT_PATH
path_variable BEATS_CKPT_PATH
path_variable BERT_CKPT_PATH
path_variable AUDIO_PRETRAIN_PATH
path_variable VISUAL_PRETRAIN_PATH
path_variable MQ_RAVSBENCH_DIR ../MQ-RAVSBench
path_variable OUTPUT_DIR checkpoints/MQ-Auditor-finetuned # not where the released auditor lies
path_variable RECIPE configs/recipes/finetune_hyperlora.yaml
path_variable FEATURE_CACHE_DIR # where features of the frozen encoders are kept between runs; empty: nowhere

NUM_TRAIN_EPOCHS=${NUM_TRAIN_EPOCHS:-96}
MAX_STEPS=${MAX_STEPS:--1} # above 0: stop after so many steps
LEARNING_RATE=${LEARNING_RATE:-1e-4}
LOCAL_BATCH_SIZE=${LOCAL_BATCH_SIZE:-4} # per process
GRADIENT_ACCUMULATION_STEPS=${GRADIENT_ACCUMULATION_STEPS:-8}
REFAVS_POS_RATIO=${REFAVS_POS_RATIO:-0.5}
REFAVS_MASK_ENCODE_MODE=${REFAVS_MASK_ENCODE_MODE:-mask_and_masked_frame}
LORA_R=${LORA_R:-32}
LORA_ALPHA=${LORA_ALPHA:-64}
LORA_DROPOUT=${LORA_DROPOUT:-0.05}

choose_machine 4 # published: 4 GPUs

collect_part_flags
exec "${launcher[@]}" -m scripts.finetune.finetune_hyperlora "$RECIPE" \
    "${part_flags[@]}" \
    --data_dir "$MQ_RAVSBENCH_DIR" --output_dir "$OUTPUT_DIR" \
    --num_train_epochs "$NUM_TRAIN_EPOCHS" --max_steps "$MAX_STEPS" --learning_rate "$LEARNING_RATE" \
    --per_device_train_batch_size "$LOCAL_BATCH_SIZE" --per_device_eval_batch_size "$LOCAL_BATCH_SIZE" \
    --gradient_accumulation_steps "$GRADIENT_ACCUMULATION_STEPS" \
    --pos_ratio "$REFAVS_POS_RATIO" --mask_encode_mode "$REFAVS_MASK_ENCODE_MODE" \
    --lora_r "$LORA_R" --lora_alpha "$LORA_ALPHA" --lora_dropout "$LORA_DROPOUT" \
    ${FEATURE_CACHE_DIR:+--feature_cache_dir "$FEATURE_CACHE_DIR"} \
    "${machine_flags[@]}" "$@"
