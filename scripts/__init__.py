"""Programs. Each reads its command line first and imports torch only when its work begins.

- audit: the program that audits masks of one's own
- clip_audit: its work for one mask
- own_masks: its work for many
- session: the same for notebooks, on paths or arrays, one mask or many
- evaluate: audit a test split, score, compare auditors
- finetune: train an auditor
- training: what all trainings share: HF's Trainer for parts of a model, checkpoints, resuming, a guard of each step
- pretrain: train the projectors, and make the parts of the mini auditor
- think: fine-tune Ref-Thinker, and let it name the objects of expressions
- benchmark: build, verify and describe MQ-RAVSBench
- segment: find objects in frames; make, score and improve the masks of what expressions mean
- repair: audits the masks of a segmentation method and repairs them
- speed: measure how fast audits, data and training are
- report, reporting: pages of scores, charts and all masks of finished audits
- worklist, flagged: lists of masks that people should look at, for their tools
- demo, trial: a page to try an auditor
- program: what all programs share: logging, arguments, the device, errors in one sentence
- terminal: what programs print: control codes from data never reach a terminal
- answering: audit requests, whoever answers them, and asking in batches
- baselines: other auditors: local models, and servers
- certainty: calibrates an auditor and measures how well its probabilities hold
- clips: clips and masks of one's own as audit requests
- features: keeps what the frozen encoders make of images and sounds
- memory: how many masks fit into memory together
- processes: starts the processes of a training, and ends as they do
- ranks: what one process of a training does for all, and how they end together
- stopping: SIGTERM and Ctrl-C
"""
