"""From files to batches of tensors. Nothing here knows a network.

- benchmark: reads MQ-RAVSBench: metadata.csv and the split files -> samples
- media: frames, masks and sound files -> arrays and tensors
- text: wording and token ids of prompts, answers and captions
- batches: samples -> items -> batches
- features: outputs of the frozen encoders, kept on disk
- construction: ground-truth masks -> a benchmark
- verification: measures every mask of a benchmark again and lists what is wrong
- referring: expressions about objects of videos, their true masks, and masks of any method
- own: masks of other programs, in their own formats, without ground truth
- world: draws a small world of moving, sounding objects, the source of the mini benchmark
- audio, clip: `load_waveform` and `extract_clip` under the names that programs outside of this repository have
"""
