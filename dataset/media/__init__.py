"""Frames, masks and sound files -> arrays and tensors.

- lengths: how many frames and seconds a clip has
- images: frames and masks, read and written
- mask_pictures: ways of showing a mask to other auditors
- pixels: pictures -> CLIP's input
- waveform: sound files, read and checked
- audio: waveforms -> the filter banks that BEATs reads
- decoded: frames, masks and sounds through small caches
- clip: any video or folder of frames -> ten frames and a sound file
"""
