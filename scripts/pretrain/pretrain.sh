# Sourced by pretrain_visual.sh and pretrain_audio.sh, which set MODALITY, CAPTIONS and MEDIA_DIR first.
# A variable that is not set leaves the setting to RECIPE, which holds the published ones, or else to the program.
if [ -z "$MEDIA_DIR" ]; then
    echo "MEDIA_DIR: expected the folder that the captions' paths are relative to, got none" >&2
    exit 2
fi
path_variable OUTPUT_DIR "checkpoints/${MODALITY}_pretrain"
path_variable RECIPE configs/recipes/pretrain_projector.yaml

choose_machine 8 # published: 8 GPUs
add_part_flags
# MAX_STEPS above 0: stop after so many steps. LOCAL_BATCH_SIZE: of each process.
add_flags num_train_epochs:NUM_TRAIN_EPOCHS max_steps:MAX_STEPS learning_rate:LEARNING_RATE \
    per_device_train_batch_size:LOCAL_BATCH_SIZE gradient_accumulation_steps:GRADIENT_ACCUMULATION_STEPS
exec "${launcher[@]}" -m scripts.pretrain.pretrain_projector "$RECIPE" "${machine_flags[@]}" "${flags[@]}" \
    --modality "$MODALITY" --captions "${CAPTIONS[@]}" --media_dir "$MEDIA_DIR" --output_dir "$OUTPUT_DIR" "$@"
