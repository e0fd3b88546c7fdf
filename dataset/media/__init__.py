"""Frames, masks and sound files -> arrays and tensors.

- lengths: how many frames and seconds a clip has
- pictures: picture files, opened, bounded and decoded
- mask_values: a picture's values -> which pixels are inside a mask, and what is doubtful about it
- images: frames and masks, read and written
- mask_pictures: ways of showing a mask to other auditors
- pixels: pictures -> CLIP's input
- sound_headers: what the header of a sound file says, and where it contradicts the file
- sound_files: sound files, opened, bounded and decoded
- waveform: sound files -> waveforms
- audio: waveforms -> the filter banks that BEATs reads
- decoded: frames, masks and sounds through small caches
- usable: whether a file can be used, and what is doubtful about it
- video: videos, decoded frame by frame
- frame_folder: a folder of numbered images -> ten frames
- clip: any video -> ten frames and a sound file
"""

from dataset.media.images import read_mask

__all__ = ["read_mask"]  # the address that programs outside of this repository have
