#!/usr/bin/env bash
# Pretrain the audio projector on AudioCaps, with the published settings: LLM and BEATs frozen.
#   CAPTIONS=/data/audiocaps/train.json MEDIA_DIR=/data/audiocaps bash scripts/pretrain/pretrain_audio.sh
# CAPTIONS: a JSON list of {audiocap_id, start_time, caption}; the sounds are MEDIA_DIR/data/<audiocap_id>.wav.
# Writes OUTPUT_DIR/audio_pretrain.bin. Run it again to continue from the newest checkpoint there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch.sh" # path_list, path_variable, choose_machine, add_flags
MODALITY=audio
path_list CAPTIONS
path_variable MEDIA_DIR
source scripts/pretrain/pretrain.sh
