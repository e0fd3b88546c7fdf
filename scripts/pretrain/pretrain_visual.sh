#!/usr/bin/env bash
# Pretrain the visual projector on captions of images and videos, with the published settings: LLM and CLIP frozen.
#   CAPTIONS="/data/llava_image.json /data/valley_video.json" MEDIA_DIR=/data bash scripts/pretrain/pretrain_visual.sh
# CAPTIONS: JSON lists of {image or video: path under MEDIA_DIR, conversations: [{value}, {value}]}, as Video-LLaVA's.
# Writes OUTPUT_DIR/visual_pretrain.bin. Run it again to continue from the newest checkpoint there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_list, path_variable, choose_machine, add_flags
MODALITY=visual
path_list CAPTIONS
path_variable MEDIA_DIR
source scripts/pretrain/pretrain.sh
