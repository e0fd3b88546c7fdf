"""Sound file -> filter bank: equal to the reference's numbers, and clear about files it cannot use."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from dataset.media.audio import compute_fbank
from dataset.media.waveform import load_waveform

GOLDEN = Path(__file__).parent / "golden"
MEDIA = GOLDEN / "MQ-RAVSBench" / "media"
NUM_SAMPLES = {"vA1-x_y": 160_000, "vB2": 160_000, "tC3": 149_920, "tD4": 160_000}


@pytest.fixture
def write_wav(tmp_path):
    """Call with samples and a rate; gives the path of a float wav."""

    def write(samples, rate):
        soundfile.write(tmp_path / "audio.wav", samples, rate, subtype="FLOAT")
        return tmp_path / "audio.wav"

    return write


def noise(*shape):
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)


@pytest.mark.parametrize("vid", NUM_SAMPLES)
def test_fbank_equals_golden(vid):
    path = MEDIA / vid / "audio.wav"
    waveform = load_waveform(path)
    assert waveform.shape == (NUM_SAMPLES[vid],)
    assert waveform.dtype == np.float32
    fbank = compute_fbank(waveform, path)
    assert fbank.dtype == torch.float32
    golden = load_file(GOLDEN / "01_fbank.safetensors")[f"fbank.{vid}"]
    kept = fbank if len(golden) == 10 else fbank[[0, 4, 9]]  # the golden file keeps three segments of two clips
    torch.testing.assert_close(kept, golden, atol=1e-3, rtol=0)


@pytest.mark.parametrize(("num_samples", "frames"), [(28_000, 16), (80_000, 48), (160_009, 98), (192_000, 118)])
def test_any_duration_is_cut_in_ten(num_samples, frames):
    fbank = compute_fbank(noise(num_samples))
    assert fbank.shape == (10, frames, 128)
    assert fbank.isfinite().all()


def test_silence_is_finite():
    assert compute_fbank(np.zeros(160_000, dtype=np.float32)).unique().numel() == 1


def test_segments_are_independent():
    waveform = noise(160_000)
    expected = compute_fbank(waveform)
    waveform[:16_000] = 0
    assert torch.equal(compute_fbank(waveform)[1:], expected[1:])


def test_channels_are_averaged(write_wav):
    stereo = noise(32_000, 2)
    np.testing.assert_array_equal(load_waveform(write_wav(stereo, 16_000)), stereo.mean(axis=1))


def test_resampled_length_is_rounded_up(write_wav):
    assert load_waveform(write_wav(noise(48_001), 48_000)).shape == (16_001,)


def test_too_short_audio_names_the_file():
    with pytest.raises(ValueError, match=r"clip.wav: too short, expected at least 1.75 s, got 1.62 s"):
        compute_fbank(noise(26_000), "clip.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_must_be_finite(value):
    waveform = noise(160_000)
    waveform[5] = value
    with pytest.raises(ValueError, match="expected finite samples"):
        compute_fbank(waveform)


def test_channels_must_be_mixed_before():
    with pytest.raises(ValueError, match=r"expected one channel, shape \(num_samples,\), got shape \(2, 160000\)"):
        compute_fbank(noise(2, 160_000))


def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(ValueError, match="text.wav: expected a readable sound file"):
        load_waveform(tmp_path / "text.wav")
    with pytest.raises(FileNotFoundError, match="absent.wav: no such file"):
        load_waveform(tmp_path / "absent.wav")
