"""The address that programs outside of this repository have; the function lives in `dataset.media.waveform`."""

from dataset.media.waveform import load_waveform

__all__ = ["load_waveform"]
