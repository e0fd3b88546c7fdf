"""Settings: one dataclass for each part of a program that uses them, and YAML recipes. Flags override recipes.

- parsing: command lines: a recipe, then flags; --help
- arguments: the auditor, data, captions, audits, conversion
- construction: building, verifying and describing a benchmark, importing masks, drawing a world
- training: a training run, our own settings
- trainer: the same with those of transformers.TrainingArguments
- scoring: scoring saved answers
- mini: making the mini auditor's parts
- speed: measuring speed
"""
