# Sourced first by the launch scripts. Goes to the repository root and gives them:
#   path_variable NAME [DEFAULT]   a path that can be set from outside
#   collect_part_flags             fills the array part_flags: where the parts of the model lie
#   PYTHON
CALLER_DIR=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A relative path that was set from outside is meant from where the script was started; a default, from the root.
path_variable() {
    local value=${!1:-}
    if [ -z "$value" ]; then
        value=${2:-}
    elif [[ $value != /* && $value != open_clip:* && $value != timm:* ]]; then
        value=$CALLER_DIR/$value
    fi
    printf -v "$1" %s "$value"
}

PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
if ! "$PYTHON" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' 2>/dev/null; then
    echo "expected a Python with this project's packages, got $PYTHON (run: bash scripts/setup.sh)" >&2
    exit 1
fi

# The parts of the model as flags; a part whose variable is empty is looked for by its published name.
collect_part_flags() {
    part_flags=(--pretrained_weights_dir "$PRETRAINED_WEIGHTS_DIR")
    local pair variable
    for pair in llama_path:LLAMA2_CKPT_PATH clip_path:CLIP_CKPT_PATH beats_path:BEATS_CKPT_PATH \
        bert_path:BERT_CKPT_PATH audio_pretrain_path:AUDIO_PRETRAIN_PATH visual_pretrain_path:VISUAL_PRETRAIN_PATH; do
        variable=${pair#*:}
        if [ -n "${!variable:-}" ]; then
            part_flags+=("--${pair%%:*}" "${!variable}")
        fi
    done
}
