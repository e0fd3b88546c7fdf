#!/usr/bin/env bash
# Fine-tune Ref-Thinker. Every variable below can be set from outside, flags follow:
#   REFAVS_DIR=/data/REFAVS R2AVSBENCH_DIR=/data/R2AVSBench bash scripts/think/finetune_ref_thinker.sh [--flag value ...]
# A variable that is not set leaves the setting to RECIPE, which holds the published ones, or else to the program.
# Run it again after an interruption: it continues from the newest complete checkpoint in OUTPUT_DIR.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_variable, add_flags, add_part_flags, choose_machine

path_variable RECIPE configs/recipes/finetune_ref_thinker.yaml
path_variable AUDIO_PRETRAIN_PATH
path_variable VISUAL_PRETRAIN_PATH
path_variable REFAVS_DIR        # holds media, media_cross and gt_mask
path_variable R2AVSBENCH_DIR    # may hold the metadata and RefThinker_instruction_tuning_set.json
path_variable OUTPUT_DIR        # default: not where the released thinker lies
path_variable FEATURE_CACHE_DIR # where features of the frozen encoders are kept between runs; empty: nowhere

choose_machine 4 # published: 4 GPUs
add_part_flags
add_flags audio_pretrain_path:AUDIO_PRETRAIN_PATH visual_pretrain_path:VISUAL_PRETRAIN_PATH \
    data_dir:REFAVS_DIR metadata_dir:R2AVSBENCH_DIR output_dir:OUTPUT_DIR feature_cache_dir:FEATURE_CACHE_DIR
# MAX_STEPS above 0: stop after so many steps. LOCAL_BATCH_SIZE: of each process.
add_flags num_train_epochs:NUM_TRAIN_EPOCHS max_steps:MAX_STEPS learning_rate:LEARNING_RATE \
    per_device_train_batch_size:LOCAL_BATCH_SIZE gradient_accumulation_steps:GRADIENT_ACCUMULATION_STEPS \
    lora_r:LORA_R lora_alpha:LORA_ALPHA lora_dropout:LORA_DROPOUT
exec "${launcher[@]}" -m scripts.think.finetune_ref_thinker "$RECIPE" "${machine_flags[@]}" "${flags[@]}" "$@"
