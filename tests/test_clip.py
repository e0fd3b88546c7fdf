"""Videos made on the spot, whose grey level tells the second, become the right frames and the right sound."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from dataset.media import video
from dataset.media.audio import read_fbank
from dataset.media.clip import extract_clip
from dataset.media.frame_folder import find_frames

GREY_PER_SECOND = 20
RATE = 16_000


@pytest.fixture
def write_video(tmp_path):
    """Call with a file name and what differs from ten seconds at 10 frames a second; gives the path."""

    def write(name="clip.mkv", **settings) -> Path:
        encode(tmp_path / name, **settings)
        return tmp_path / name

    return write


def encode(
    path,
    seconds=10.0,
    times=None,
    delay=0.0,
    sound=(0.0, None),
    codecs=("ffv1", "pcm_s16le"),
    size=(64, 48),
    pixels="yuv420p",
    layout="stereo",
    rate=RATE,
):
    """`times` of the frames, `delay` of the clip on the file's clock, `sound` from and to; no codec, no stream."""
    begin, end = sound
    with av.open(str(path), "w") as container:
        video = container.add_stream(codecs[0], rate=10) if codecs[0] else None
        audio = container.add_stream(codecs[1], rate=rate, layout=layout) if codecs[1] else None
        if video:
            video.width, video.height = size
            video.pix_fmt, video.codec_context.time_base = pixels, Fraction(1, 1000)
            for time in np.arange(0, seconds, 0.1) if times is None else times:
                picture = np.full((size[1], size[0], 3), round(GREY_PER_SECOND * time), np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
                frame.pts, frame.time_base = round((time + delay) * 1000), Fraction(1, 1000)
                container.mux(video.encode(frame))
            container.mux(video.encode())
        if audio:
            first, channels = round((begin + delay) * rate), audio.codec_context.layout.nb_channels
            samples = tone(round(((end or seconds) - begin) * rate), rate)
            resampler = av.AudioResampler(format=audio.codec_context.format.name, layout=layout, rate=rate)
            for start in range(0, len(samples), 1024):
                block = np.repeat(samples[start : start + 1024], channels)[None]
                frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, first + start, Fraction(1, rate)
                for converted in resampler.resample(frame):
                    container.mux(audio.encode(converted))
            container.mux(audio.encode())


def tone(num_samples, rate=RATE) -> np.ndarray:
    return (8000 * np.cos(2 * np.pi * 440 * np.arange(num_samples) / rate)).astype(np.int16)


def seconds_of(frame_paths) -> np.ndarray:
    return np.array([np.asarray(Image.open(path)).mean() for path in frame_paths]) / GREY_PER_SECOND


def test_ten_seconds(write_video, tmp_path, caplog):
    frame_paths, audio_path = extract_clip(write_video(), tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in frame_paths] == [f"out/frames/{i}.png" for i in range(10)]
    np.testing.assert_allclose(seconds_of(frame_paths), np.arange(10), atol=0.06)
    samples, rate = soundfile.read(audio_path, dtype="float32")
    np.testing.assert_array_equal(samples, np.repeat(tone(160_000)[:, None], 2, axis=1) / np.float32(2**15))
    assert rate == RATE
    assert read_fbank(audio_path).shape == (10, 98, 128)
    assert not caplog.records


def test_of_twelve_seconds_the_first_ten_are_used(write_video, tmp_path, caplog):
    frame_paths, audio_path = extract_clip(write_video(seconds=12), tmp_path)
    np.testing.assert_allclose(seconds_of(frame_paths), np.arange(10), atol=0.06)
    assert soundfile.info(audio_path).frames == 160_000
    assert "clip.mkv: longer than 10 s; its first ten seconds are used" in caplog.text


def test_four_seconds_are_cut_in_tenths(write_video, tmp_path, caplog):
    frame_paths, audio_path = extract_clip(write_video(seconds=4), tmp_path)
    np.testing.assert_allclose(seconds_of(frame_paths), 0.4 * np.arange(10), atol=0.06)
    assert soundfile.info(audio_path).frames == 64_000
    assert "clip.mkv: lasts 4.0 s, not 10 s; the frames are 0.40 s apart" in caplog.text


def test_the_frame_on_screen_counts(write_video, tmp_path):
    frame_paths, _ = extract_clip(write_video(times=[0, 0.5, 2.9, 3.1, 8.2, 9.9]), tmp_path)
    expected = [0, 0.5, 0.5, 2.9, 3.1, 3.1, 3.1, 3.1, 3.1, 8.2]
    np.testing.assert_allclose(seconds_of(frame_paths), expected, atol=0.06)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("clip.mp4", {"codecs": ("mpeg4", "aac")}),
        ("clip.ts", {"codecs": ("mpeg4", "aac"), "delay": 3.0}),
        ("clip.avi", {"codecs": ("mpeg4", "pcm_s16le")}),
        ("clip.mkv", {"pixels": "gray10le"}),
        ("clip.mkv", {"pixels": "yuv444p", "size": (65, 49)}),
    ],
)
def test_containers_and_pixel_formats(write_video, tmp_path, name, settings):
    frame_paths, audio_path = extract_clip(write_video(name, **settings), tmp_path)
    np.testing.assert_allclose(seconds_of(frame_paths), np.arange(10), atol=0.15)
    samples, _ = soundfile.read(audio_path)
    assert samples.shape == (160_000, 2)
    # At its end, too, the sound has the right phase: nothing was lost on the way.
    np.testing.assert_allclose(samples[150_000:158_000, 0], tone(158_000)[150_000:] / 2**15, atol=0.05)
    assert Image.open(frame_paths[0]).size == settings.get("size", (64, 48))


def test_late_and_short_sound_stays_in_its_place(write_video, tmp_path, caplog):
    _, audio_path = extract_clip(write_video(sound=(2.5, 8.0)), tmp_path)
    samples, _ = soundfile.read(audio_path)
    expected = np.zeros(160_000)
    expected[40_000:128_000] = tone(88_000) / 2**15
    np.testing.assert_allclose(samples[:, 0], expected, atol=1e-6)
    assert "sound from 2.5 to 8.0 s, silence elsewhere" in caplog.text


def test_a_still_picture_lasts_as_long_as_its_sound(write_video, tmp_path, caplog):
    frame_paths, audio_path = extract_clip(write_video(times=[0.0]), tmp_path)
    assert len(frame_paths) == 10
    assert soundfile.info(audio_path).frames == 160_000
    assert "the picture ends at 0.1 s; its last frame stands still" in caplog.text


def test_rate_and_channels_are_kept(write_video, tmp_path):
    _, audio_path = extract_clip(write_video(layout="5.1", rate=48_000, codecs=("ffv1", "flac")), tmp_path)
    info = soundfile.info(audio_path)
    assert (info.channels, info.samplerate, info.frames) == (6, 48_000, 480_000)


def test_another_sound_replaces_the_videos_own(write_video, tmp_path):
    sound_path = tmp_path / "sound.wav"
    soundfile.write(sound_path, tone(441_000, 44_100), 44_100)
    _, audio_path = extract_clip(write_video(codecs=("ffv1", None)), tmp_path, sound_path)
    samples, rate = soundfile.read(audio_path)
    np.testing.assert_array_equal(samples, tone(441_000, 44_100) / 2**15)
    assert rate == 44_100


def test_a_turned_video_is_turned_upright(tmp_path):
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[:16] = 255
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44  # the track header's display matrix: a quarter turn clockwise
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(content)
    soundfile.write(tmp_path / "sound.wav", tone(32_000), RATE)
    frame_paths, _ = extract_clip(path, tmp_path, tmp_path / "sound.wav")
    upright = np.asarray(Image.open(frame_paths[0]))
    assert upright.shape == (64, 48, 3)
    assert upright[:, -8:].mean() > 240 and upright[:, :8].mean() < 15


@pytest.mark.parametrize(
    ("codecs", "sentence"),
    [
        (("ffv1", None), "clip.mkv: expected a file with audio, got one with video only"),
        ((None, "pcm_s16le"), "clip.mkv: expected a file with video, got one with audio only"),
    ],
)
def test_a_missing_stream_is_named(write_video, tmp_path, codecs, sentence):
    with pytest.raises(ValueError, match=sentence):
        extract_clip(write_video(codecs=codecs), tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_what_is_no_video_is_named(tmp_path, content):
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(ValueError, match="clip.mp4: expected video that can be decoded, got an error: Invalid data"):
        extract_clip(tmp_path / "clip.mp4", tmp_path)


def test_an_absent_video_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.mp4: no such video file"):
        extract_clip(tmp_path / "absent.mp4", tmp_path)


@pytest.mark.parametrize("pattern", ["{}.jpg", "{:05d}.png", "frame_{:02d}.JPEG"])
@pytest.mark.parametrize("first", [0, 1])
def test_frames_come_in_the_order_of_their_numbers(tmp_path, pattern, first):
    names = [pattern.format(i) for i in range(first, first + 10)]
    for name in [*reversed(names), "notes.txt", "._0.jpg", "cover.jpg"]:
        (tmp_path / name).touch()
    assert [path.name for path in find_frames(tmp_path)] == names


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "expected 10 numbered images such as 0.jpg to 9.jpg, got none"),
        ([f"{i}.jpg" for i in range(9)], r"got 9 \(0.jpg, 1.jpg, "),
        ([f"{i}.jpg" for i in range(30)], r"got 30 \(0.jpg, .*11.jpg, ...\)"),
        ([f"{i}.jpg" for i in range(9)] + ["8.png"], "expected each frame number once, got 8.jpg, 8.png"),
    ],
)
def test_another_count_of_frames_is_refused(tmp_path, names, sentence):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=sentence):
        find_frames(tmp_path)


def test_an_absent_folder_of_frames_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent: no such folder of frames"):
        find_frames(tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "settings"), [("clip.mkv", {}), ("clip.ts", {"codecs": ("mpeg4", "aac")}), ("clip.mov", {})]
)
def test_a_video_that_is_cut_short_is_refused(write_video, tmp_path, name, settings):
    path = write_video(name, **{"codecs": ("mpeg4", "pcm_s16le"), **settings})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=f"{name}: expected .* got (an error|.* s: it is cut short)"):
        extract_clip(path, tmp_path)


def test_a_sound_that_replaces_the_videos_own_is_checked(write_video, tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(160_000), RATE)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:160_000])
    with pytest.raises(ValueError, match="a.wav: expected 320,000 bytes as its header says, got 159,956"):
        extract_clip(write_video(), tmp_path, tmp_path / "a.wav")


def test_a_sound_of_impossible_scale_is_refused(write_video, tmp_path):
    soundfile.write(tmp_path / "a.caf", tone(160_000) * 1.0, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match="expected samples from -1 to 1, got up to 8000"):
        extract_clip(write_video(), tmp_path, tmp_path / "a.caf")


def test_colours_of_hd_video_are_right(monkeypatch):
    video.check_colours.cache_clear()
    video.check_colours()
    monkeypatch.setattr(video, "GREEN", (39, 179, 61))  # as if PyAV decoded otherwise
    video.check_colours.cache_clear()
    with pytest.raises(ValueError, match=r"PyAV .*: expected the green .* of HD video, got .*; install av>=17"):
        video.check_colours()
    video.check_colours.cache_clear()


def test_the_versions_of_pyav_are_those_that_are_named():
    assert video.NEEDED in (Path(__file__).parent.parent / "requirements.txt").read_text().split()
