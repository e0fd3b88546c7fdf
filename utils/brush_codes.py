"""Masks as Label Studio writes them, brush run-length codes <-> (H, W) bool.

The format is thi.ng's rle-pack: bits in bytes, the highest first. 32 bits count the values (four of 8 bits for each
pixel, red, green, blue and opacity, along the rows), 5 bits say how wide a value is, less 1, and four times 4 bits how
wide the four kinds of counts are, less 1. Then come chunks: a bit (1: one value that is repeated, 0: values that
differ), the kind of its count in 2 bits, the count less 1, and the value or values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from utils.run_length import MAX_PIXELS

CHANNELS = 4
_VALUE_BITS = 8
_COUNT_BITS = (4, 8, 12, 16)
_INSIDE = 255


def encode_brush(mask: np.ndarray) -> list[int]:
    """(H, W) bool -> bytes as numbers from 0 to 255; inside is opaque white."""
    inside = mask.ravel()
    starts = np.flatnonzero(np.r_[True, inside[1:] != inside[:-1]]) if len(inside) else np.zeros(0, int)
    lengths = np.diff(np.r_[starts, len(inside)])
    bits = [f"{CHANNELS * len(inside):032b}", f"{_VALUE_BITS - 1:05b}", *(f"{size - 1:04b}" for size in _COUNT_BITS)]
    for start, length in zip(starts, lengths, strict=True):
        bits += _repeated(CHANNELS * int(length), _INSIDE if inside[start] else 0)
    packed = np.frombuffer("".join(bits).encode(), np.uint8) - ord("0")
    return np.packbits(packed).tolist()


def _repeated(count: int, value: int) -> Iterator[str]:
    while count:
        part = min(count, 1 << _COUNT_BITS[-1])
        kind = next(number for number, size in enumerate(_COUNT_BITS) if part <= 1 << size)
        yield f"1{kind:02b}{part - 1:0{_COUNT_BITS[kind]}b}{value:0{_VALUE_BITS}b}"
        count -= part


def decode_brush(codes: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """Bytes -> (H, W) bool of this size; inside is what is not transparent. Raises ValueError if they are broken."""
    height, width = size
    expected = CHANNELS * height * width
    if not 0 < height * width <= MAX_PIXELS:
        raise ValueError(f"brush code: expected a picture of 1 to {MAX_PIXELS} pixels, got {height} x {width}")
    if not all(type(code) is int and 0 <= code < 256 for code in codes):
        raise ValueError("brush code: expected numbers from 0 to 255, got others")
    reader = _Bits(codes)
    count, bits = reader.number(32), reader.number(5) + 1
    if count != expected or bits != _VALUE_BITS:
        got = f"{count} of {bits} bits"
        raise ValueError(f"brush code: expected {expected} values of {_VALUE_BITS} bits for {size}, got {got}")
    sizes = [reader.number(4) + 1 for _ in range(4)]
    values, place = np.zeros(count, np.uint8), 0
    while place < count:
        is_repeated = reader.number(1)
        length = reader.number(sizes[reader.number(2)]) + 1
        if place + length > count:
            raise ValueError(f"brush code: expected {count} values, got more")
        values[place : place + length] = (
            reader.number(bits) if is_repeated else [reader.number(bits) for _ in range(length)]
        )
        place += length
    return values.reshape(height, width, CHANNELS)[..., -1] > 0


class _Bits:
    """Bytes read as numbers of any width."""

    def __init__(self, codes: Sequence[int]):
        self.bits, self.place = "".join(f"{code:08b}" for code in codes), 0

    def number(self, width: int) -> int:
        self.place += width
        if self.place > len(self.bits):
            raise ValueError("brush code: expected more values, got codes that are cut off")
        return int(self.bits[self.place - width : self.place], 2)
