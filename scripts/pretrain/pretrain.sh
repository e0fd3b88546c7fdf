# Sourced by pretrain_visual.sh and pretrain_audio.sh, which set MODALITY, CAPTIONS and MEDIA_DIR first.
if [ -z "$MEDIA_DIR" ]; then
    echo "MEDIA_DIR: expected the folder that the captions' paths are relative to, got none" >&2
    exit 2
fi
path_variable PRETRAINED_WEIGHTS_DIR pretrained_weights
# Left empty, a part lies under PRETRAINED_WEIGHTS_DIR by its published name (pretrained_weights/README.md).
path_variable LLAMA2_CKPT_PATH
path_variable CLIP_CKPT_PATH
path_variable BEATS_CKPT_PATH
path_variable BERT_CKPT_PATH
path_variable OUTPUT_DIR "checkpoints/${MODALITY}_pretrain"
path_variable RECIPE configs/recipes/pretrain_projector.yaml

NUM_TRAIN_EPOCHS=${NUM_TRAIN_EPOCHS:-1}
MAX_STEPS=${MAX_STEPS:--1} # above 0: stop after so many steps
LEARNING_RATE=${LEARNING_RATE:-1e-4}
LOCAL_BATCH_SIZE=${LOCAL_BATCH_SIZE:-4} # per process
GRADIENT_ACCUMULATION_STEPS=${GRADIENT_ACCUMULATION_STEPS:-1}
choose_machine 8 # published: 8 GPUs

collect_part_flags
exec "${launcher[@]}" -m scripts.pretrain.pretrain_projector "$RECIPE" \
    "${part_flags[@]}" \
    --modality "$MODALITY" --captions "${CAPTIONS[@]}" --media_dir "$MEDIA_DIR" --output_dir "$OUTPUT_DIR" \
    --num_train_epochs "$NUM_TRAIN_EPOCHS" --max_steps "$MAX_STEPS" --learning_rate "$LEARNING_RATE" \
    --per_device_train_batch_size "$LOCAL_BATCH_SIZE" \
    --gradient_accumulation_steps "$GRADIENT_ACCUMULATION_STEPS" \
    "${machine_flags[@]}" "$@"
