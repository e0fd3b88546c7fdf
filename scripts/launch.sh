# Sourced first by the launch scripts. Goes to the repository root and gives them:
#   path_variable NAME [DEFAULT]   makes the path in NAME absolute; DEFAULT if it is not set
#   add_flags FLAG:VARIABLE ...    adds --FLAG VALUE to the array flags for every variable that is set and not empty:
#                                  defaults are those of the recipe and of the program
#   add_part_flags                 the same for the folder of the model's parts and for each part of its own place
#   path_list NAME                 one path, or several without spaces in them, separated by spaces; becomes an array
#   forget_settings                unsets all variables that the launch scripts read, for a script that sets its own
#   choose_machine N               NPROC_PER_NODE (at most N), and the arrays launcher and machine_flags; reads NNODES,
#                                  and NODE_RANK, MASTER_ADDR and MASTER_PORT where it is above 1
#   choose_processes               the array launcher, for work without training
#   PYTHON
CALLER_DIR=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A relative path in a variable is relative to the folder that the script was started in; a default, to the root.
path_variable() {
    local value=${!1:-}
    if [ -z "$value" ]; then
        value=${2:-}
    elif [[ $value != /* && $value != open_clip:* && $value != timm:* ]]; then
        value=$CALLER_DIR/$value
    fi
    printf -v "$1" %s "$value"
}

path_list() {
    local one
    local -a given=()
    if [ -z "${!1:-}" ]; then
        echo "$1: expected one or several files, got none, e.g. $1=/data/captions.json" >&2
        exit 2
    fi
    read -ra given <<<"${!1}"
    if (cd "$CALLER_DIR" && [ -f "${!1}" ]); then
        given=("${!1}")
    fi
    local -n paths=$1
    paths=()
    for one in "${given[@]}"; do
        [[ $one == /* ]] || one=$CALLER_DIR/$one
        paths+=("$one")
    done
}

forget_settings() {
    unset LLAMA2_CKPT_PATH CLIP_CKPT_PATH BEATS_CKPT_PATH BERT_CKPT_PATH AUDIO_PRETRAIN_PATH VISUAL_PRETRAIN_PATH \
        TEST_NAME REFAVS_EVAL_MODE REFAVS_MASK_TYPE_FILTER REFAVS_MASK_RANK_FILTER REFAVS_MASK_ENCODE_MODE \
        REFAVS_POS_RATIO NPROC_PER_NODE NNODES NODE_RANK DEEPSPEED_CONFIG NUM_TRAIN_EPOCHS MAX_STEPS LEARNING_RATE \
        LOCAL_BATCH_SIZE GRADIENT_ACCUMULATION_STEPS LORA_R LORA_ALPHA LORA_DROPOUT BATCH_SIZE MAX_NEW_TOKENS OUTPUT_DIR RECIPE \
        FEATURE_CACHE_DIR
}

PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
if ! "$PYTHON" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' 2>/dev/null; then
    echo "expected a Python with this project's packages, got $PYTHON (run: bash scripts/setup.sh)" >&2
    exit 1
fi

flags=()
add_flags() {
    local pair variable
    for pair in "$@"; do
        variable=${pair#*:}
        if [ -n "${!variable:-}" ]; then
            flags+=("--${pair%%:*}" "${!variable}")
        fi
    done
}

# Left empty, a part lies under PRETRAINED_WEIGHTS_DIR by its published name (pretrained_weights/README.md).
add_part_flags() {
    path_variable PRETRAINED_WEIGHTS_DIR
    path_variable LLAMA2_CKPT_PATH
    path_variable CLIP_CKPT_PATH
    path_variable BEATS_CKPT_PATH
    path_variable BERT_CKPT_PATH
    add_flags pretrained_weights_dir:PRETRAINED_WEIGHTS_DIR llama_path:LLAMA2_CKPT_PATH clip_path:CLIP_CKPT_PATH \
        beats_path:BEATS_CKPT_PATH bert_path:BERT_CKPT_PATH
}

# whole_number NAME LEAST: ends the script with a sentence if the variable holds anything else
whole_number() {
    if ! [[ ${!1} =~ ^(0|[1-9][0-9]{0,8})$ ]] || [ "${!1}" -lt "$2" ]; then
        printf '%s: expected a whole number from %s on, got %q\n' "$1" "$2" "${!1}" >&2
        exit 2
    fi
}

# On several computers, each runs the same script with the same NNODES and MASTER_ADDR, and its own NODE_RANK from 0 on.
choose_nodes() {
    NNODES=${NNODES:-1}
    whole_number NNODES 1
    nodes=(--standalone)
    if [ "$NNODES" -gt 1 ]; then
        NODE_RANK=${NODE_RANK:-} MASTER_PORT=${MASTER_PORT:-29500}
        whole_number NODE_RANK 0
        whole_number MASTER_PORT 1
        if [ "$NODE_RANK" -ge "$NNODES" ]; then
            echo "NODE_RANK: expected a number below NNODES ($NNODES), got $NODE_RANK" >&2
            exit 2
        fi
        if [ -z "${MASTER_ADDR:-}" ]; then
            echo "MASTER_ADDR: expected the name or address of the computer with NODE_RANK=0, got none" >&2
            exit 2
        fi
        nodes=(--nnodes "$NNODES" --node_rank "$NODE_RANK" --master_addr "$MASTER_ADDR" --master_port "$MASTER_PORT")
    fi
}

# For work without training: the array launcher, of NPROC_PER_NODE processes (1 if it is not set).
choose_processes() {
    NPROC_PER_NODE=${NPROC_PER_NODE:-1}
    whole_number NPROC_PER_NODE 1
    launcher=("$PYTHON")
    if [ "$NPROC_PER_NODE" -gt 1 ]; then
        launcher+=(-m scripts.processes --standalone --nproc_per_node "$NPROC_PER_NODE")
    fi
}

# Published: bf16 and DeepSpeed stage 2 with the optimizer on the CPU. Without a GPU: one process, float32.
choose_machine() {
    local num_gpus
    local -a nodes
    choose_nodes
    if [ -n "${NPROC_PER_NODE:-}" ]; then
        whole_number NPROC_PER_NODE 1
    fi
    num_gpus=$("$PYTHON" -c 'import torch; print(torch.cuda.device_count())')
    if [ "$num_gpus" -gt 0 ]; then
        NPROC_PER_NODE=${NPROC_PER_NODE:-$((num_gpus < $1 ? num_gpus : $1))}
        DEEPSPEED_CONFIG=${DEEPSPEED_CONFIG-$PWD/deepspeed/stage2-offload.json} # set but empty: without DeepSpeed
        machine_flags=(--bf16 true)
    else
        NPROC_PER_NODE=${NPROC_PER_NODE:-1}
        echo "no GPU found: training on the CPU in float32${DEEPSPEED_CONFIG:+ with DeepSpeed}" >&2
        machine_flags=(--use_cpu true)
        export DS_ACCELERATOR=${DS_ACCELERATOR:-cpu} # DeepSpeed would otherwise warn that it found none
    fi
    path_variable DEEPSPEED_CONFIG
    if [ -n "$DEEPSPEED_CONFIG" ]; then
        machine_flags+=(--deepspeed "$DEEPSPEED_CONFIG")
    fi
    launcher=("$PYTHON")
    if [ "$NPROC_PER_NODE" -gt 1 ] || [ "$NNODES" -gt 1 ] || [ -n "$DEEPSPEED_CONFIG" ]; then
        launcher=("$PYTHON" -m scripts.processes "${nodes[@]}" --nproc_per_node "$NPROC_PER_NODE")
    fi
}
