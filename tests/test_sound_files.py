"""Sound files that are not what they claim to be are refused by name; what is only strange is told."""

import struct

import numpy as np
import pytest
import soundfile

from dataset.media.waveform import examine_sound, load_waveform

TONE = (0.3 * np.sin(np.arange(160_000) / 9)).astype(np.float32)
CONTAINERS = {
    "wav": ("WAV", "PCM_16"),
    "float": ("WAV", "FLOAT"),
    "wavex": ("WAVEX", "PCM_24"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Bytes of the same tone in each container."""
    folder, contents = tmp_path_factory.mktemp("sounds"), {}
    for name, (kind, subtype) in CONTAINERS.items():
        soundfile.write(folder / name, TONE, 16_000, format=kind, subtype=subtype)
        contents[name] = (folder / name).read_bytes()
    return contents


@pytest.fixture
def path_of(tmp_path):
    def write(content: bytes):
        (tmp_path / "a.wav").write_bytes(content)
        return tmp_path / "a.wav"

    return write


@pytest.mark.parametrize("name", CONTAINERS)
def test_whole_files_are_heard(sounds, path_of, name):
    waveform, doubt = examine_sound(path_of(sounds[name]))
    assert len(waveform) == 160_000 and doubt is None


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("name", CONTAINERS)
def test_cut_files_are_refused(sounds, path_of, name, share):
    content = sounds[name]
    with pytest.raises(ValueError, match=r"a.wav: expected .* (cut short|malformed|lost sync|seek)"):
        load_waveform(path_of(content[: int(share * len(content))]))


def test_an_ogg_file_without_its_last_page_is_refused(sounds, path_of):
    content = sounds["opus"]
    for end in (content.rfind(b"OggS"), len(content) - 1):
        with pytest.raises(ValueError, match="it is cut short"):
            load_waveform(path_of(content[:end]))


def resized(content: bytes, riff: int, data: int) -> bytes:
    at = content.index(b"data") + 4
    return content[:4] + struct.pack("<I", riff) + content[8:at] + struct.pack("<I", data) + content[at + 4 :]


@pytest.mark.parametrize(
    ("riff", "data"),
    [(0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFFFFF, 0x7FFFFFDB), (0x80000024, 0x80000000), (0xFFFFFFFF, 320_000)],
)
def test_streams_of_unknown_length_are_heard(sounds, path_of, riff, data):
    assert len(load_waveform(path_of(resized(sounds["wav"], riff, data)))) == 160_000


def test_a_flac_stream_of_unknown_length_is_heard(sounds, path_of):
    content = bytearray(sounds["flac"])
    content[21] &= 0xF0
    content[22:26] = bytes(4)  # the number of samples
    assert len(load_waveform(path_of(bytes(content)))) == 160_000


def test_a_few_missing_bytes_are_no_cut(sounds, path_of):
    assert len(load_waveform(path_of(sounds["wav"][:-100]))) == 159_950


def patched(content: bytes, at: int, number: int, size: int = 4, order: str = "little") -> bytes:
    return content[:at] + number.to_bytes(size, order) + content[at + size :]


# container, place in its header, number, its bytes, what is said; a doubt where it does not begin with "expected"
CONTRADICTIONS = [
    ("wav", 22, 2, 2, "expected blocks of 4 bytes for 16 bits x 2, got a header that says 2"),
    ("wav", 34, 24, 2, "expected blocks of 3 bytes for 24 bits x 1, got a header that says 2"),
    ("wav", 24, 8_000, 4, "its header says 32,000 bytes a second, and its rate makes 16,000"),
    ("wav", 40, 160_000, 4, "its header says 160,000 bytes of sound, and 160,000 more stand behind them"),
    ("wav", 40, 0, 4, "expected a header that says how many bytes there are, got 0, and 320,000 behind it"),
    ("float", 44, 320_000, 4, "its header says 20.0 s in one place and 10.0 s in another"),
    ("vorbis", 6_000, 0, 9, "expected pages without a gap, got a damaged one"),
]


@pytest.mark.parametrize(("kind", "at", "number", "size", "says"), CONTRADICTIONS)
def test_headers_that_contradict_the_file(sounds, path_of, kind, at, number, size, says):
    path = path_of(patched(sounds[kind], at, number, size))
    if says.startswith("expected"):
        with pytest.raises(ValueError, match=f"a.wav: {says}"):
            load_waveform(path)
    else:
        assert says in examine_sound(path).doubt


@pytest.mark.parametrize(("frames", "says"), [(320_000, "20.0 s as its header says"), (80_000, "says 5.0 s in one")])
def test_aiff_says_its_length_twice(sounds, path_of, frames, says):
    path = path_of(patched(sounds["aiff"], sounds["aiff"].index(b"COMM") + 10, frames, order="big"))
    if frames > 160_000:
        with pytest.raises(ValueError, match=says):
            load_waveform(path)
    else:
        assert says in examine_sound(path).doubt


def test_bytes_behind_a_sound_are_told(sounds, path_of):
    chunk = b"LIST\x04\0\0\0abcd"
    assert examine_sound(path_of(sounds["wav"] + chunk)).doubt is None
    assert "320,044 more stand behind" in examine_sound(path_of(sounds["wav"] + b"\x90" * 320_044)).doubt
    assert "several streams" in examine_sound(path_of(sounds["opus"] * 2)).doubt


@pytest.mark.parametrize(
    ("samples", "rate", "sentence"),
    [
        (TONE, 1, "from 4,000 to 768,000 samples a second, got 1"),
        (TONE, 10**9, "got 1,000,000,000"),
        (TONE * 1e30, 16_000, r"expected samples from -1 to 1, got up to 3e\+29"),
        (TONE * 32768, 16_000, "got up to 9830"),
        (np.where(np.arange(160_000) == 70_000, np.nan, TONE), 16_000, "got NaN or infinity"),
        (np.where(np.arange(160_000) == 70_000, -np.inf, TONE), 16_000, "got NaN or infinity"),
        (np.zeros((9, 100)), 16_000, "expected 1 to 64 channels, got 100"),
        (np.zeros(4_000 * 3 * 3600, np.float32), 4_000, "at most 120 s, got 10,800 s"),
    ],
)
def test_what_nobody_records_is_refused(tmp_path, samples, rate, sentence):
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    with pytest.raises(ValueError, match=f"a.wav: .*{sentence}"):
        load_waveform(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["FLAC", "MP3"])
def test_hours_are_refused_by_their_header(tmp_path, kind):
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000 * 600), 16_000, format=kind)
    with pytest.raises(ValueError, match="at most 120 s, got 600 s"):
        load_waveform(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("samples", "doubt"),
    [
        (TONE[:80_000], "lasts 5.0 s, not 10 s; each frame gets 0.50 s"),
        (TONE * 1e-5, "which nobody hears"),
        (np.stack([TONE, -TONE], 1), "their mean is silence"),
        (np.full(160_000, 0.5), "its samples are all 0.5"),
        (np.zeros(160_000), None),
    ],
)
def test_strange_sounds_are_told(tmp_path, samples, doubt):
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    found = examine_sound(tmp_path / "a.wav").doubt
    assert found is None if doubt is None else doubt in found


def test_rare_containers_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", TONE, 16_000, format="NIST", subtype="PCM_16")
    with pytest.raises(ValueError, match="expected one of WAV, .*, got NIST"):
        load_waveform(tmp_path / "a.wav")
