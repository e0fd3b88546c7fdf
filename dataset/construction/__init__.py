"""From ground-truth masks to a mask-quality benchmark (paper Sec. 3).

- geometry: cutout, dilate and erode, each at the IoU that is asked for
- candidates: all masks of one ground truth, with their audits
- negatives: the other objects of a frame, which full_neg and merge masks are made of
- referrals, source: a segmentation dataset in the layout of Ref-AVSBench
- selection, choice: which expressions and videos a benchmark takes; one that cannot be used is replaced
- plan, build, progress: a benchmark from such a dataset, video by video, restartable
- stills, coco, pairs, rle: other segmentation datasets brought into that layout
"""
