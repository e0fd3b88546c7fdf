#!/usr/bin/env bash
# Make the parts of the mini auditor anew, on drawn worlds of their own, on two CPU cores:
#   WEIGHTS_DIR=results/mini_parts bash scripts/pretrain/mini/make_parts.sh
# Run it again after an interruption: it continues where it stopped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../launch.sh" # path_variable, forget_settings, PYTHON
forget_settings
path_variable WEIGHTS_DIR "$PWD/results/mini_parts"
path_variable WORK_DIR "$WEIGHTS_DIR/work"
export CUDA_VISIBLE_DEVICES= PYTHON # always on the CPU: small models, and numbers that do not depend on a GPU

"$PYTHON" -m scripts.pretrain.mini.parts "$WEIGHTS_DIR" "$WORK_DIR"
for modality in visual audio; do
    file=${modality}_pretrain.safetensors
    [ -f "$WEIGHTS_DIR/$file" ] && continue
    [ "$modality" = visual ] && list=captions.json || list=train.json
    PRETRAINED_WEIGHTS_DIR=$WEIGHTS_DIR OUTPUT_DIR=$WORK_DIR/$modality MEDIA_DIR=$WORK_DIR/captions \
        CAPTIONS=$WORK_DIR/captions/$list RECIPE=configs/recipes/mini_pretrain.yaml \
        NUM_TRAIN_EPOCHS=$([ "$modality" = visual ] && echo 3 || echo 6) \
        bash "scripts/pretrain/pretrain_$modality.sh" --num_query_tokens 8 --vision_feature_layer -1 \
        --cache_features true --file_name "$file"
    cp "$WORK_DIR/$modality/$file" "$WEIGHTS_DIR/$file.part"
    mv "$WEIGHTS_DIR/$file.part" "$WEIGHTS_DIR/$file" # so that the file is never half written
done
"$PYTHON" -m scripts.pretrain.mini.grounding "$WEIGHTS_DIR" "$WORK_DIR"
"$PYTHON" -m scripts.pretrain.mini.segmenter "$WEIGHTS_DIR" "$WORK_DIR"
echo "written: $WEIGHTS_DIR"
