"""What the keys of a DeepSpeed configuration may hold; keys that are not named here are judged by DeepSpeed."""

from __future__ import annotations

from utils.settings_files import FLAG, either, number, one_of, or_null, whole

AUTO = one_of(("auto",))
COUNT, SIZE = either(whole(1, 10**9), AUTO), either(number(0, 10**15), AUTO)
SWITCH = {"enabled?": either(FLAG, AUTO)}
OFFLOAD = {"device?": one_of(("cpu", "nvme", "none")), "pin_memory?": FLAG}
DEEPSPEED = {
    **dict.fromkeys(("train_batch_size?", "train_micro_batch_size_per_gpu?", "gradient_accumulation_steps?"), COUNT),
    "gradient_clipping?": SIZE,
    "bf16?": SWITCH,
    "fp16?": SWITCH
    | {
        "loss_scale?": number(0, 2**40),
        "initial_scale_power?": whole(0, 40),
        "loss_scale_window?": whole(1, 10**9),
        "hysteresis?": whole(1, 10**9),
        "min_loss_scale?": number(0, 2**40),
    },
    "zero_optimization?": {
        "stage": whole(0, 3),
        **dict.fromkeys(("overlap_comm?", "contiguous_gradients?"), or_null(FLAG)),
        **dict.fromkeys(("reduce_bucket_size?", "allgather_bucket_size?", "sub_group_size?"), SIZE),
        **dict.fromkeys(("stage3_prefetch_bucket_size?", "stage3_param_persistence_threshold?"), SIZE),
        **dict.fromkeys(("stage3_max_live_parameters?", "stage3_max_reuse_distance?"), SIZE),
        "stage3_gather_16bit_weights_on_model_save?": FLAG,
        "offload_optimizer?": OFFLOAD,
        "offload_param?": OFFLOAD,
    },
}
