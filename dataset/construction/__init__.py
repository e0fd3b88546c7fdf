"""From ground-truth masks to a mask-quality benchmark (paper Sec. 3).

The source dataset:
- referrals: metadata.csv of a segmentation dataset, one referring expression a row
- source: a segmentation dataset in the layout of Ref-AVSBench, read and written
- stills: pictures with masks -> that layout
- coco, pairs: two formats of pictures with masks, read for `stills`
- coco_checks: whether an annotation of COCO agrees with itself and its picture

What a benchmark takes:
- selection: which expressions and videos
- choice: reads the chosen ones, and replaces those that cannot be used
- plan: the chosen expressions with the frames of each

The masks:
- geometry: cutout, dilate and erode, each at the IoU that is asked for
- negatives: the other objects of a frame, which full_neg and merge masks are made of
- candidates: all masks of one ground truth, with their audits
- build: writes all of it, video by video
- progress: a build that was interrupted continues; a finished one is recognised
"""
