"""Re-measures a benchmark against its ground truth and lists what is wrong (paper Sec. 3.2).

The rules are written here anew and share no code with `construction`: a mistake there cannot hide itself.

- findings: one thing that is wrong, and the report that holds them all
- mask_rules: what the pixels of each mask type may look like
- label_rules: IoU, band, rank, action and answer text against what was measured
- frames: all masks of one frame, and all frames of one video
- files: metadata.csv against the split files, and files that nothing refers to
- benchmark: all of this over a whole benchmark, in several processes
"""
