"""Masks of other programs, in their own formats, without ground truth.

- polygons: YOLO-seg text files
- palettes: pictures with one object for each number of their palette
- job_list: CSV or JSON lines that say which masks of which clips are meant

COCO files are read by `dataset.construction.coco`, folders of pictures and masks by `dataset.construction.pairs`, and
mask folders of Ref-AVS systems by `dataset.referring.masks`.
"""
