"""Work lists: the masks of finished audits that people should look at, as the tools read them that they mend them with.

- build: the work of scripts.worklist
- choosing: which masks are flagged, why, and in which order
- marks: what people have marked in a report
- listed: a mask of the list with its files: frames and masks as pictures
- table: the list as CSV, and the list of prompts for a segmenter
- coco, yolo: the same as COCO and YOLO-seg
- label_studio: tasks with brush masks, and the labelling page
- fiftyone_samples: a folder that FiftyOne imports
"""
