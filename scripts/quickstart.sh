#!/usr/bin/env bash
# See the whole system work, with neither weights nor data: set up, draw a small world, build a benchmark from it,
# fine-tune the mini auditor that comes with the repository, audit the test masks, print the scores.
# Run it again after an interruption, whatever ended it: it skips finished steps and goes on within the others.
# Another world: WORLD_SEED=1 RESULTS=results/quickstart_1 bash scripts/quickstart.sh
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
bash "$here/setup.sh"
unset PYTHON                                     # use .venv's Python from here on
source "$here/launch.sh"                         # path_variable, forget_settings, PYTHON
forget_settings                                  # settings of a full-size run must not be used here
path_variable RESULTS "$PWD/results/quickstart"
path_variable MINI_WEIGHTS_DIR "$PWD/pretrained_weights/mini"
WORLD_SEED=${WORLD_SEED:-0}
TRAIN_SEED=${TRAIN_SEED:-42}
HEAD_STEPS=${HEAD_STEPS:-250}              # of the output head and the embeddings alone
FINETUNE_STEPS=${FINETUNE_STEPS:-500}      # of everything
VIDEO_MODE_VIDEOS=${VIDEO_MODE_VIDEOS:-10} # of each test split, the first ones
TRAIN_VIDEOS=${TRAIN_VIDEOS:-400}
TEST_VIDEOS=${TEST_VIDEOS:-60}             # of each test split
VALIDATION_VIDEOS=${VALIDATION_VIDEOS:-60}
for name in WORLD_SEED TRAIN_SEED VIDEO_MODE_VIDEOS; do whole_number "$name" 0; done
for name in HEAD_STEPS FINETUNE_STEPS TRAIN_VIDEOS TEST_VIDEOS VALIDATION_VIDEOS; do whole_number "$name" 1; done

export PYTHON CUDA_VISIBLE_DEVICES= # always on the CPU: small models, and numbers that do not depend on a GPU
export PRETRAINED_WEIGHTS_DIR=$MINI_WEIGHTS_DIR MQ_RAVSBENCH_DIR=$RESULTS/MQ-RAVSBench
export DEVICE=cpu BATCH_SIZE=128 MAX_NEW_TOKENS=96

settings="WORLD_SEED=$WORLD_SEED TRAIN_SEED=$TRAIN_SEED FINETUNE_STEPS=$FINETUNE_STEPS \
VIDEO_MODE_VIDEOS=$VIDEO_MODE_VIDEOS MINI_WEIGHTS_DIR=$MINI_WEIGHTS_DIR TRAIN_VIDEOS=$TRAIN_VIDEOS \
TEST_VIDEOS=$TEST_VIDEOS VALIDATION_VIDEOS=$VALIDATION_VIDEOS HEAD_STEPS=$HEAD_STEPS"
mkdir -p "$RESULTS"
if [ "$(cat "$RESULTS/settings" 2>/dev/null || echo "$settings")" != "$settings" ]; then
    echo "$RESULTS: expected the settings that it was made with ($(cat "$RESULTS/settings")), or another RESULTS" >&2
    exit 2
fi
echo "$settings" >"$RESULTS/settings.new"
mv "$RESULTS/settings.new" "$RESULTS/settings" # at once: the file is whole or not there

say() { echo; echo "[$((SECONDS / 60)) min $((SECONDS % 60)) s] $*"; }
draw_and_build() { # FOLDER [FLAG OF draw_world ...]
    local folder=$1
    shift
    "$PYTHON" -m scripts.benchmark.draw_world --seed "$WORLD_SEED" --output "$folder/world" "$@"
    [ -f "$folder/MQ-RAVSBench/build_report.json" ] || REF_AVSBENCH_DIR=$folder/world \
        MQ_RAVSBENCH_DIR=$folder/MQ-RAVSBench bash scripts/benchmark/build_mq_ravsbench.sh --key_frame given \
        --seed "$WORLD_SEED" --video_mode_test_s "$VIDEO_MODE_VIDEOS" --video_mode_test_u "$VIDEO_MODE_VIDEOS"
}
finetune() { # FOLDER STEPS [FLAG ...]
    local folder=$1 steps=$2
    shift 2
    [ -f "$folder/trainer_state.json" ] || OUTPUT_DIR=$folder RECIPE=configs/recipes/quickstart.yaml MAX_STEPS=$steps \
        FEATURE_CACHE_DIR=$RESULTS/features bash scripts/finetune/finetune_hyperlora.sh --seed "$TRAIN_SEED" "$@"
}
audit() { # AUDITOR FOLDER TEST_NAME MODE
    local run=$2/${3}_${4}_mask-all_rank-all
    [ -f "$run/metrics_summary_${4}_mask-all_rank-all.json" ] || MQ_AUDITOR_CKPT_DIR=$1 OUTPUT_DIR=$2 TEST_NAME=$3 \
        REFAVS_EVAL_MODE=$4 bash scripts/finetune/inference_hyper_lora.sh --merge_lora true --report false >/dev/null
}

echo "The quickstart takes 10 to 15 minutes on two CPU cores."
say "1/5 a world of $((TRAIN_VIDEOS + 2 * TEST_VIDEOS + VALIDATION_VIDEOS)) drawn videos, and MQ-RAVSBench from its ground truth (1 to 2 minutes)"
draw_and_build "$RESULTS" --num_train "$TRAIN_VIDEOS" --num_test_s "$TEST_VIDEOS" --num_test_u "$TEST_VIDEOS"
draw_and_build "$RESULTS/validation" --num_train 0 --num_validation "$VALIDATION_VIDEOS" --num_test_s 0 --num_test_u 0

say "2/5 features of the frozen encoders, and audits of test_s before fine-tuning, image mode (about 2 minutes)"
finetune "$RESULTS/before/MQ-Auditor" 1 --learning_rate 0 --known_clips 0
audit "$RESULTS/before/MQ-Auditor" "$RESULTS/before" test_s image

say "3/5 fine-tuning: how audits are worded, then everything (6 to 8 minutes)"
# In the first training nearly only the head and the embeddings learn. If LoRA learned before the head knows the words,
# it would lose what the parts know.
finetune "$RESULTS/head" "$HEAD_STEPS" --learning_rate 1e-5 --output_head_lr_scale 800 \
    --embedding_lr_scale 80 --decision_weight 1 --masks_per_video 8 --known_clips 0
finetune "$RESULTS/MQ-Auditor" "$FINETUNE_STEPS" --start_from "$RESULTS/head"

say "4/5 audits of the test masks: image mode, then the first $VIDEO_MODE_VIDEOS videos of each split in video mode"
for test_name in test_s test_u; do
    for mode in image video; do
        audit "$RESULTS/MQ-Auditor" "$RESULTS" $test_name $mode
    done
done

say "5/5 scores"
"$PYTHON" -m scripts.evaluate.summarize "$RESULTS" --data_dir "$MQ_RAVSBENCH_DIR" --before "$RESULTS/before" \
    --facts "$RESULTS/world/facts.json"
"$PYTHON" -m scripts.evaluate.show_audits "$RESULTS" --data_dir "$MQ_RAVSBENCH_DIR"
"$PYTHON" -m scripts.report "$RESULTS" --output "$RESULTS/report" --title "The quickstart's audits"
say "done: $RESULTS (all masks: open $RESULTS/report/index.html; loss curve: .venv/bin/tensorboard --logdir $RESULTS/MQ-Auditor)"
