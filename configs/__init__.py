"""Settings: one dataclass for each part of a program that uses them, and YAML recipes. Flags override recipes.

- parsing: command lines: a recipe, then flags; --help
- ranges: numbers of settings that have to lie between two others
- model: the parts of an auditor, how they are joined, what learns
- data: what a model is trained on, and where features are kept
- runtime: where and how answers are generated, how many together
- evaluation: one audit run over a test split
- audit: audits of masks of one's own
- demo: the page to try an auditor
- conversion: one conversion of an auditor's folder
- construction: building, verifying and describing a benchmark, importing masks, drawing a world
- deepspeed: what the keys of a DeepSpeed configuration may hold
- training: a training run, our own settings
- trainer: the same with those of transformers.TrainingArguments
- baselines: asking other auditors
- scoring: scoring saved answers
- calibration: calibrating an auditor, and telling unlike clips
- report: a report of finished audits
- worklist: a work list of finished audits, and its policy
- thinking: Ref-Thinker's training and answers
- referring: segmenting what expressions mean, and scoring the masks
- improving: auditing and repairing the masks of a segmentation method
- mini: making the mini auditor's parts
- speed: measuring speed
"""
