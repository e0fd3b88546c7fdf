#!/usr/bin/env bash
# See the whole system work, with neither weights nor data: set up, fine-tune a tiny auditor on a synthetic fixture in
# the published layout, audit the fixture's test masks, print the scores. Finished steps are not repeated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash scripts/setup.sh

RESULTS=${RESULTS:-results/quickstart}
# Settings of a full-size run must not leak into this one.
unset LLAMA2_CKPT_PATH CLIP_CKPT_PATH BEATS_CKPT_PATH BERT_CKPT_PATH AUDIO_PRETRAIN_PATH VISUAL_PRETRAIN_PATH \
    TEST_NAME REFAVS_EVAL_MODE REFAVS_MASK_TYPE_FILTER REFAVS_MASK_RANK_FILTER REFAVS_MASK_ENCODE_MODE BATCH_SIZE \
    NPROC_PER_NODE DEEPSPEED_CONFIG NUM_TRAIN_EPOCHS LORA_DROPOUT
export CUDA_VISIBLE_DEVICES= # tiny models, the same numbers everywhere
export PYTHON=.venv/bin/python
export PRETRAINED_WEIGHTS_DIR=$RESULTS/pretrained_weights
export MQ_RAVSBENCH_DIR=tests/golden/MQ-RAVSBench
export MQ_AUDITOR_CKPT_DIR=$RESULTS/MQ-Auditor
export LORA_R=4 LORA_ALPHA=8 DEVICE=cpu
predictions=$RESULTS/test_s_image_mask-all_rank-all/predictions_image_mask-all_rank-all.jsonl
metrics=$RESULTS/test_s_image_mask-all_rank-all/metrics_summary_image_mask-all_rank-all.json

echo "1/4 tiny stand-ins for LLaMA-2, CLIP, BEATs and the projectors"
if [ ! -f "$PRETRAINED_WEIGHTS_DIR/complete" ]; then
    "$PYTHON" -m tests.seeded --small_clip --taught_llama "$PRETRAINED_WEIGHTS_DIR" >/dev/null
    touch "$PRETRAINED_WEIGHTS_DIR/complete"
fi

echo "2/4 fine-tuning (about a minute)"
if [ ! -f "$MQ_AUDITOR_CKPT_DIR/trainer_state.json" ]; then
    OUTPUT_DIR=$MQ_AUDITOR_CKPT_DIR RECIPE=configs/recipes/quickstart.yaml MAX_STEPS=100 LEARNING_RATE=1e-4 \
        LOCAL_BATCH_SIZE=2 GRADIENT_ACCUMULATION_STEPS=1 REFAVS_POS_RATIO=0.25 \
        bash scripts/finetune/finetune_hyperlora.sh
fi

echo "3/4 auditing the test masks"
if [ ! -f "$metrics" ]; then
    OUTPUT_DIR=$RESULTS MAX_NEW_TOKENS=128 bash scripts/finetune/inference_hyper_lora.sh >/dev/null
fi

echo "4/4 scores"
"$PYTHON" -m scripts.finetune.score "$predictions" --eval_mode image --output "$metrics"
echo
echo "The fixture has two training videos: the scores show that every part works, not what an auditor can do."
echo "written: $RESULTS (loss curve: .venv/bin/tensorboard --logdir $MQ_AUDITOR_CKPT_DIR)"
