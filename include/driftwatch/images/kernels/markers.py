"""A plain JPEG's segments, looked through at once: Python takes five times as long."""

from __future__ import annotations

import numpy as np

from driftwatch.images.kernels.compiled import compiled, inlined

u8, at = np.uint8, np.uintp
_MOST_SEGMENTS = 64
_BYTES = 256  # that are compared at once


@inlined
def _is_mark(byte: np.uint8, kind: np.uint8) -> np.uint8:
    """1 or 0; without a branch, so that many bytes are compared at once."""
    full = u8(byte == u8(0xFF)) & u8(kind > u8(1)) & u8(kind != u8(0xFF))
    return full & u8((kind & u8(0xF8)) != u8(0xD0))


@compiled("int64(Array(uint8, 1, 'C', True), int64)")
def _next_mark(data: np.ndarray, start: int) -> int:
    """Where the first mark from `start` on begins that is none of a restart, nor a stuffed or a fill byte; -1 without one."""
    last = len(data) - 1
    for first in range(start, last, _BYTES):
        beyond = min(first + _BYTES, last)
        marks = u8(0)
        for place in range(at(first), at(beyond)):
            marks |= _is_mark(data[place], data[place + at(1)])
        if marks:
            for place in range(first, beyond):
                if _is_mark(data[place], data[place + 1]):
                    return place
    return -1


@compiled("UniTuple(int64, 5)(Array(uint8, 1, 'C', True))")
def plain_jpeg(data: np.ndarray) -> tuple[int, ...]:
    """Height, width and number of components of a plain JPEG's picture, where its frame header begins, and where its end mark does. -1 five times
    for any other file.

    A file is plain if its segments follow each other from the first byte on, up to the picture data of one baseline scan with all components and
    8 bits, behind which the end mark comes. No segment is metadata, and each says what `images.jpeg` would leave as it is.
    """
    other = (-1, -1, -1, -1, -1)
    size, place, frame = len(data), 2, -1
    height, width, components = 0, 0, 0
    for _ in range(_MOST_SEGMENTS):
        if place + 4 > size or data[place] != 0xFF:
            return other
        kind, length = data[place + 1], (int(data[place + 2]) << 8) | int(data[place + 3])
        start, end = place + 4, place + 2 + length
        if length < 2 or end > size:
            return other
        if kind == 0xE0:  # JFIF of another revision would be a warning of libjpeg
            jfif = end - start >= 5 and (
                data[start] == 0x4A and data[start + 1] == 0x46 and data[start + 2] == 0x49 and data[start + 3] == 0x46
            )
            if jfif and (end - start < 6 or data[start + 5] != 1):
                return other
        elif kind == 0xC0 or kind == 0xC1:
            if frame >= 0 or end - start < 6 or data[start] != 8:
                return other
            frame, components = place, int(data[start + 5])
            if (components != 1 and components != 3) or end - start < 6 + 3 * components:
                return other
            height = (int(data[start + 1]) << 8) | int(data[start + 2])
            width = (int(data[start + 3]) << 8) | int(data[start + 4])
        elif kind == 0xDA:
            if frame < 0 or end - start < 6 or end - start != 4 + 2 * components or data[start] != components:
                return other
            if data[end - 3] != 0 or data[end - 2] != 63 or data[end - 1] != 0:
                return other
            for one in range(components):  # in the order of the frame header, as encoders write them
                if data[start + 1 + 2 * one] != data[frame + 10 + 3 * one]:
                    return other
            mark = _next_mark(data, end)
            if mark < 0 or data[mark + 1] != 0xD9:
                return other
            return height, width, components, frame, mark
        elif kind != 0xC4 and kind != 0xDB and kind != 0xDD and kind != 0xEE:
            return other
        place = end
    return other
