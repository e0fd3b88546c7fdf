"""What all trainings share: fine-tuning auditors and thinkers, and pretraining projectors.

- trainer: HF's Trainer for models of which only some parts learn
- bundle_trainer: the same for an auditor or a thinker, with its sampler and learning rates
- policy_trainer: trains an auditor for the rewards of audits that it samples
- checkpoints: training checkpoints: written whole, confirmed, tidied up
- resuming: settings that have changed since the checkpoint
- step_guard: numbers that are not finite, and requests to stop, at every step
- checkpointing: measures whether gradient checkpointing is needed
- deepspeed_files: reads DeepSpeed's files of a checkpoint without running code
- build_locks: waits for builds of DeepSpeed, and clears what a killed one left
"""
