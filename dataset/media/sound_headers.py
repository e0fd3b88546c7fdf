"""What the header of a sound file says, and where it contradicts the file or itself. `sound_files` asks.

libsndfile writes down what it reads in a header, in `extra_info`. What it does not look at is looked at here.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

import soundfile

CUT_SLACK = 0.2  # seconds by which a header may be wrong, such as the padding of MP3
UNKNOWN_LENGTH = 0x7FFF0000  # programs that write to a pipe put this size or a larger one into a header
SIZES = re.compile(r"^\s*(?:data|SSND|Data Size|Riff size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
NUMBERS = re.compile(r"^\s*(Format|Channels|Block Align|Bit Width|Bytes/sec|Frames)\s*: (\w+)", re.MULTILINE | re.I)
SHOULD_BE = re.compile(r"Bytes/sec\s*: \d+ \(should be (\d+)\)")
HOLE = re.compile(r"Skipped \d+ bytes looking for the next page|reports a hole")
PLAIN_CODES, BYTE_CODES = (0x1, 0x3, 0xFFFE), (0x6, 0x7)  # of WAV: numbers as they are; one byte for each
OGG_PAGE, OGG_HEADER, OGG_LAST = b"OggS", 27, 4  # RFC 3533
OGG_FIRST = OGG_PAGE + b"\0\2"
OGG_TAIL = 2**17  # a page is at most half as long


def doubts_of_header(file: soundfile.SoundFile, path: str | Path) -> Iterator[str]:
    """What is doubtful. Raises ValueError for a file that is cut short, damaged, or cannot be what its header says."""
    where, info = f"audio {path}", file.extra_info
    for said, found in ((int(said), int(found)) for said, found in SIZES.findall(info)):
        seconds = file.frames / file.samplerate * max(0, said - found) / max(1, found)
        if seconds > CUT_SLACK and said < UNKNOWN_LENGTH:
            raise ValueError(f"{where}: expected {said:,} bytes as its header says, got {found:,}: it is cut short")
    if file.format == "OGG":
        yield from _doubts_of_ogg(path, info)
    if file.format in ("WAV", "WAVEX", "RF64", "W64", "AIFF"):
        numbers = {name.lower(): int(value, 0) for name, value in reversed(NUMBERS.findall(info)) if value[0].isdigit()}
        yield from _doubts_of_numbers(numbers, file, where)
        if should_be := SHOULD_BE.search(info):
            yield from _doubts_of_rate(numbers, int(should_be[1]))
    if file.format in ("WAV", "WAVEX"):
        yield from _doubts_of_rest(path, numbers.get("bytes/sec", 0), where)


def _doubts_of_numbers(numbers: dict[str, int], file: soundfile.SoundFile, where: str) -> Iterator[str]:
    channels, bits, block = (numbers.get(name, 0) for name in ("channels", "bit width", "block align"))
    code = numbers.get("format")
    needed = channels * (1 if code in BYTE_CODES else -(-bits // 8))
    fits = block in (0, needed) or (bits, block) == (24, 4 * channels)
    if code in PLAIN_CODES + BYTE_CODES and not fits:
        wanted = f"blocks of {needed} bytes for {bits} bits x {channels}"
        raise ValueError(f"{where}: expected {wanted}, got a header that says {block}: one of its numbers is wrong")
    claimed, found = numbers.get("frames", 0), file.frames
    if claimed in (0, found * file.channels) or max(claimed, found) >= UNKNOWN_LENGTH:
        return
    if abs(claimed - found) > CUT_SLACK * file.samplerate:
        seconds = f"{claimed / file.samplerate:.1f} s", f"{found / file.samplerate:.1f} s"
        if claimed > found and file.format == "AIFF":
            raise ValueError(f"{where}: expected {seconds[0]} as its header says, got {seconds[1]}: it is cut short")
        yield f"its header says {seconds[0]} in one place and {seconds[1]} in another"


def _doubts_of_rate(numbers: dict[str, int], should_be: int) -> Iterator[str]:
    if (said := numbers["bytes/sec"]) and numbers.get("format") in PLAIN_CODES + BYTE_CODES:
        yield f"its header says {said:,} bytes a second, and its rate makes {should_be:,}: it may be too fast or slow"


def _doubts_of_rest(path: str | Path, bytes_a_second: int, where: str) -> Iterator[str]:
    """What stands behind the data of a WAV file, where it is no other chunk."""
    said, rest = _data_and_rest(Path(path))
    if rest <= CUT_SLACK * max(1, bytes_a_second):
        return
    if not said:
        raise ValueError(
            f"{where}: expected a header that says how many bytes there are, got 0, and {rest:,} behind it"
        )
    yield f"its header says {said:,} bytes of sound, and {rest:,} more stand behind them, which nobody hears"


def _data_and_rest(path: Path) -> tuple[int, int]:
    """Bytes of the data as the file says, and bytes behind them that belong to no chunk."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        data, place = None, 12 if stream.read(4) == b"RIFF" else size
        while place < size:
            stream.seek(place)
            head = stream.read(8)
            length = int.from_bytes(head[4:], "little")
            if data is not None and not (head[:4].isascii() and head[:4].decode().isprintable()):
                break
            if place + 8 + length > size:
                break
            data = length if head[:4] == b"data" and data is None else data
            place += 8 + length + length % 2
    return data or 0, 0 if data is None else max(0, size - place)


def _doubts_of_ogg(path: str | Path, info: str) -> Iterator[str]:
    where = f"audio {path}"
    if not _ends_with_last_page(path):
        raise ValueError(f"{where}: expected a last page that says so, got a file that ends before: it is cut short")
    if HOLE.search(info):
        raise ValueError(f"{where}: expected pages without a gap, got a damaged one")
    with Path(path).open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(OGG_FIRST, 1) > 0:
            yield "holds several streams, of which the first is heard"


def _ends_with_last_page(path: str | Path) -> bool:
    with Path(path).open("rb") as stream:
        stream.seek(max(0, Path(path).stat().st_size - OGG_TAIL))
        tail = stream.read()
    page = tail[max(0, tail.rfind(OGG_PAGE)) :]
    if len(page) < OGG_HEADER or not page[5] & OGG_LAST:
        return False
    lengths = page[OGG_HEADER : OGG_HEADER + page[OGG_HEADER - 1]]
    return len(page) >= OGG_HEADER + len(lengths) + sum(lengths)
