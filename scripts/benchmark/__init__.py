"""Programs for MQ-RAVSBench.

- draw_world: draw a small source dataset
- import_masks: bring other segmentation datasets into the source layout
- build: build a benchmark from a source dataset
- build_report: what a build holds and what it left out
- verify: measure every mask of a benchmark again
- describe: count what a benchmark holds, and draw it
- efficiency: an old address of `scripts.speed.efficiency`
"""
