"""Masks, frames and sounds that cannot be what they claim to be: the same file, the same verdict in every program."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import soundfile
from PIL import Image

from tests.faults.case import Case, Expected, found, refused, warned
from tests.faults.changes import FRAME, MASK, SOUND, gone
from tests.right_benchmark import GT, HEIGHT, WIDTH
from tests.test_masks import BY_OPACITY, SOFT, half_of_zeros
from tests.test_masks import REFUSED as NO_MASKS

SOURCE = "source/media/video0_0_10000"
MASK_PLACES = (MASK, "clip/mask.png", "source/gt_mask/video0_0_10000/fid_0/00000.png", "pairs/masks/p0.png")
FRAME_PLACES = (FRAME, "clip/frames/3.jpg", f"{SOURCE}/frames/2.jpg", "pairs/images/p0.jpg")
SOUND_PLACES = (SOUND, "clip/audio.wav", f"{SOURCE}/audio.wav", "pairs/sounds/p0.wav")
PROGRAMS = ("evaluate", "audit", "verify", "build", "import")
QUICK = ("verify", "import")  # they load no auditor


def everywhere(places: tuple[str, ...], content: Callable[[], bytes], root: Path) -> None:
    """Write the file to each place that the copy of the material has."""
    for place in places:
        if (root / place).is_file():
            (root / place).unlink()  # it may be linked to others
            (root / place).write_bytes(content())


def refusals(says: str) -> dict[str, Expected]:
    return {name: found(says) if name == "verify" else refused(says) for name in PROGRAMS}


def picture(array: np.ndarray, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


def by_opencv(array: np.ndarray, ending: str = ".png") -> bytes:
    return cv2.imencode(ending, array)[1].tobytes()


@lru_cache(maxsize=64)
def sound(
    change: Callable = np.copy, rate: int = 16_000, kind: str = "WAV", subtype: str = "FLOAT", share: float = 1.0
) -> bytes:
    """Ten seconds of a tone, changed; of the file, the first share is kept."""
    tone, stream = 0.3 * np.sin(np.arange(160_000) / 9), io.BytesIO()
    soundfile.write(stream, change(tone), rate, format=kind, subtype=subtype)
    content = stream.getvalue()
    return content[: int(share * len(content))]


def said(at: int, number: int, size: int = 4) -> bytes:
    """A WAV file of 16 bits, with another number in its header."""
    content = sound(subtype="PCM_16")
    return content[:at] + number.to_bytes(size, "little") + content[at + size :]


def zeros(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(9) + content[middle + 9 :]


def sentence(pattern: str) -> str:
    """The plain beginning of a pattern."""
    return pattern.split("\\")[0].split(".*")[0]


def mask_cases() -> list[Case]:
    refusing = [
        Case(f"mask: {name}", partial(everywhere, MASK_PLACES, partial(bytes, content)), refusals(sentence(says)))
        for name, (content, says) in NO_MASKS.items()
    ]
    doubts = {name: ("what is not transparent is inside", content) for name, content in BY_OPACITY.items()}
    gt_size = {name: content for name, (content, truth) in SOFT.items() if truth is GT}
    doubts |= {f"blurred, {name}": ("from half the highest on is inside", c) for name, c in gt_size.items()}
    telling = []
    for number, (name, (says, content)) in enumerate(doubts.items()):
        programs = PROGRAMS if number % 6 == 0 else QUICK
        expected = {program: found(says) if program == "verify" else warned(says) for program in programs}
        telling.append(Case(f"mask: {name}", partial(everywhere, MASK_PLACES, partial(bytes, content)), expected))
    return refusing + telling


NO_FRAMES = {
    "half a file": (lambda: FULL_FRAME[: len(FULL_FRAME) // 2], "cannot be decoded"),
    "text": (lambda: b"no picture", "cannot be decoded"),
    "empty": (lambda: b"", "cannot be decoded"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be decoded"),
    "EPS": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "cannot be decoded"),
    "float TIFF": (lambda: by_opencv(GT.astype(np.float32), ".tiff"), "numbers without a known range"),
    "dark 16 bits": (lambda: by_opencv(GT.astype(np.uint16) * 9), "expected a frame that uses its 16 bits"),
    "dark 16 bits in colour": (lambda: by_opencv(RGB.astype(np.uint16)), "expected a frame that uses its 16 bits"),
    "100 megapixels": (lambda: picture(np.zeros((10_000, 10_000), bool)), "at most 67,108,864 pixels"),
    "damaged AVIF": (lambda: half_of_zeros(picture(RED, "AVIF")), "cannot be decoded"),
    "a wrong check sum": (lambda: flipped(picture(GT), -17), "cannot be decoded"),
}
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
RED = np.dstack([GT * np.uint8(200)] + [np.zeros_like(GT, np.uint8)] * 2)
FULL_FRAME = picture(RGB, "JPEG")
STRANGE_FRAMES = {
    "12 bits in 16": (lambda: by_opencv(RGB.astype(np.uint16) * 16), "got values below 4096, which look black"),
    "transparent": (lambda: picture(np.dstack([RGB, RGB[..., 0]])), "got transparency, which is ignored"),
    "animated": (
        lambda: picture(RGB, "GIF", save_all=True, append_images=[Image.fromarray(RGB[::-1])]),
        "got several; the first is used",
    ),
}
NO_SOUNDS = {
    "rate of 1": (partial(sound, rate=1), "from 4,000 to 768,000 samples a second, got 1"),
    "rate of 100": (partial(sound, rate=100), "got 100"),
    "rate of a billion": (partial(sound, rate=10**9), "got 1,000,000,000"),
    "scaled to 1e30": (partial(sound, lambda x: x * 1e30), "expected samples from -1 to 1, got up to 3e+29"),
    "whole numbers as floats": (partial(sound, lambda x: x * 32768), "expected samples from -1 to 1"),
    "NaN": (partial(sound, lambda x: np.where(x == x[9], np.nan, x)), "expected finite samples"),
    "infinity": (partial(sound, lambda x: np.where(x == x[9], np.inf, x)), "expected finite samples"),
    "100 channels": (partial(sound, lambda _: np.zeros((9, 100))), "expected 1 to 64 channels, got 100"),
    "of one second": (partial(sound, lambda x: x[:16000]), "too short"),
    "of five minutes": (
        partial(sound, lambda x: np.tile(x, 30), subtype="PCM_16"),
        "expected at most 120 s, got 300 s",
    ),
    "silence of ten minutes, FLAC": (
        partial(sound, lambda _: np.zeros(9_600_000), kind="FLAC", subtype="PCM_16"),
        "expected at most 120 s, got 600 s",
    ),
    "said to be of no length": (partial(said, 40, 0), "got 0, and 320,000 behind it"),
    "said to be endless": (partial(said, 40, 640_000), "expected 640,000 bytes as its header says, got 320,000"),
    "said to be stereo": (partial(said, 22, 2, 2), "expected blocks of 4 bytes for 16 bits x 2"),
    "said to have no channel": (partial(said, 22, 0, 2), "expected a readable sound file"),
    "damaged in the middle": (lambda: zeros(sound(kind="OGG", subtype="VORBIS")), "expected pages without a gap"),
    "NIST": (partial(sound, kind="NIST", subtype="PCM_16"), "got NIST"),
    "text": (lambda: b"no sound", "expected a readable sound file"),
    **{
        f"cut {kind} {subtype}": (partial(sound, kind=kind, subtype=subtype, share=0.5), says)
        for kind, subtype, says in [
            ("WAV", "PCM_16", "it is cut short"),
            ("WAV", "FLOAT", "it is cut short"),
            ("RF64", "PCM_16", "it is cut short"),
            ("W64", "PCM_16", "it is cut short"),
            ("AIFF", "PCM_16", "it is cut short"),
            ("AU", "PCM_16", "it is cut short"),
            ("OGG", "VORBIS", "it is cut short"),
            ("OGG", "OPUS", "it is cut short"),
            ("MP3", "MPEG_LAYER_III", "it is cut short"),
            ("FLAC", "PCM_16", "expected a readable sound file"),
            ("CAF", "PCM_16", "expected a readable sound file"),
        ]
    },
}
STRANGE_SOUNDS = {
    "too loud": (partial(sound, lambda x: x * 9), "expected samples from -1 to 1, got up to 2.7"),
    "of five seconds": (partial(sound, lambda x: x[:80000]), "lasts 5.0 s, not 10 s"),
    "nobody hears": (partial(sound, lambda x: x * 1e-5), "which nobody hears"),
    "all the same": (partial(sound, lambda x: x * 0 + 0.5), "its samples are all 0.5, which nobody hears"),
    "said to be shorter": (partial(said, 40, 160_000), "160,000 more stand behind them, which nobody hears"),
    "said to be faster": (partial(said, 24, 8_000), "its header says 32,000 bytes a second, and its rate makes 16,000"),
    "two in one file": (lambda: 2 * sound(kind="OGG", subtype="OPUS"), "holds several streams"),
    "channels that cancel out": (partial(sound, lambda x: np.stack([x, -x], 1)), "their mean is silence"),
}


def flipped(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


def cases(kind: str, places: tuple[str, ...], no_file: dict, strange: dict) -> list[Case]:
    refusing = [
        Case(f"{kind}: {name}", partial(everywhere, places, content), refusals(says))
        for name, (content, says) in no_file.items()
    ]
    telling = [
        Case(f"{kind}: {name}", partial(everywhere, places, content), dict.fromkeys(programs, warned(says)))
        for (name, (content, says)), programs in zip(strange.items(), (PROGRAMS, *[QUICK] * len(strange)), strict=False)
    ]
    return refusing + telling


def renamed(old: str, new: str, root: Path) -> None:
    (root / "clip/frames" / old).rename(root / "clip/frames" / new)


def frame_of_other_size(root: Path) -> None:
    for place in FRAME_PLACES[:3]:
        if (root / place).is_file():
            Image.fromarray(RGB[::2]).save(root / place, "JPEG")


def eleventh_frame(root: Path) -> None:
    for place in FRAME_PLACES:
        if (root / place).is_file():
            shutil.copy(root / place, (root / place).with_name("10.jpg"))


OWN_CLIPS = [
    Case("own frames: a gap", partial(renamed, "5.jpg", "10.jpg"), {"audit": refused("frame numbers without a gap")}),
    Case(
        "own frames: a mask", partial(renamed, "9.jpg", "mask_9.jpg"), {"audit": refused("got mask_9.jpg among them")}
    ),
    Case("own frames: another kind", partial(renamed, "9.jpg", "9.png"), {"audit": refused("got 9.png among them")}),
    Case("own frames: a WebP file", partial(renamed, "9.jpg", "9.webp"), {"audit": refused("got 9.webp among them")}),
    Case("own frames: no first one", partial(gone, "clip/frames/0.jpg"), {"audit": warned("frame 0 is 1.jpg")}),
    Case(
        "frames: an eleventh",
        eleventh_frame,
        dict.fromkeys(("evaluate", "verify", "build"), warned("got 10.jpg beside them, which are not shown")),
    ),
    Case("own frames: one twice", partial(renamed, "9.jpg", "08.jpg"), {"audit": refused("each frame number once")}),
    Case(
        "own frames: a picture without a number",
        lambda root: (root / "clip/frames/cover.png").write_bytes(picture(RGB)),
        {"audit": warned("expected numbered images only, got cover.png, which is left out")},
    ),
    Case("own frames: numbered from 1", partial(renamed, "0.jpg", "10.jpg"), {"audit": warned("frame 0 is 1.jpg")}),
    Case(
        "frames of two sizes",
        frame_of_other_size,
        dict.fromkeys(("audit", "evaluate"), warned("expected frames of one size, got 128 x 48 and 128 x 96")),
    ),
]
CASES = [
    *mask_cases(),
    *cases("frame", FRAME_PLACES, NO_FRAMES, STRANGE_FRAMES),
    *cases("sound", SOUND_PLACES, NO_SOUNDS, STRANGE_SOUNDS),
    *OWN_CLIPS,
]
