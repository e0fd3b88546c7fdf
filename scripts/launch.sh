# Sourced by the launch scripts, after their variables: which Python, how many GPUs, and parts that lie elsewhere.
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
NUM_GPUS=$("$PYTHON" -c 'import torch; print(torch.cuda.device_count())')

part_flags=(--pretrained_weights_dir "$PRETRAINED_WEIGHTS_DIR")
add_part() { if [ -n "$2" ]; then part_flags+=("--$1" "$2"); fi; }
add_part llama_path "${LLAMA2_CKPT_PATH:-}"
add_part clip_path "${CLIP_CKPT_PATH:-}"
add_part beats_path "${BEATS_CKPT_PATH:-}"
add_part bert_path "${BERT_CKPT_PATH:-}"
add_part audio_pretrain_path "${AUDIO_PRETRAIN_PATH:-}"
add_part visual_pretrain_path "${VISUAL_PRETRAIN_PATH:-}"
