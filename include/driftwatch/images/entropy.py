"""What of a baseline JPEG is there: its picture data, read block by block without decoding a pixel."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from driftwatch.images.headers import ImageFile

_TABLES, _QUANTISATION, _RESTARTS, _SCAN = 0xC4, 0xDB, 0xDD, 0xDA
# The mean of a block is 1,024 at most, eight times the distance from grey to black; encoders round, and some overshoot.
_LARGEST_MEAN = 1300


class _Tables(NamedTuple):
    """Of a file with one scan: the codes, the first step of each quantisation table, units between restart marks."""

    codes: np.ndarray
    steps: dict[int, int]
    interval: int
    scan: bytes
    start: int


def rows_held(file: ImageFile) -> int | None:
    """The rows, from the top, that the file's data hold whole, all of `height` or fewer; None where the data are wrong before they
    end, or in several scans."""
    from driftwatch.images.kernels.huffman import WRONG, whole_units

    found = _tables(file.data) if file.scans == 1 else None
    count = file.header.channels or 1
    frame = file.data[file.frame + 10 : file.frame + 10 + 3 * count]
    components = {frame[at]: (frame[at + 1] >> 4, frame[at + 1] & 15, frame[at + 2]) for at in range(0, 3 * count, 3)}
    if found is None or len(found.scan) != 4 + 2 * count or set(found.scan[1:-3:2]) != set(components):
        return None
    wide, high = (max(factors[axis] for factors in components.values()) if count > 1 else 1 for axis in (0, 1))
    blocks = []
    for number, (name, tables) in enumerate(zip(found.scan[1:-3:2], found.scan[2:-3:2], strict=True)):
        across, down, step = components[name]
        limit = _LARGEST_MEAN // max(1, found.steps.get(step, 1)) + 2
        of_unit = across * down if count > 1 else 1
        blocks += [(number, tables >> 4 & 3, 4 + (tables & 3), limit)] * of_unit
    in_a_row, rows = math.ceil(file.header.width / (8 * wide)), math.ceil(file.header.height / (8 * high))
    data = np.frombuffer(file.data, np.uint8, len(file.data) - 2 - found.start, found.start)
    units, end = whole_units(data, found.codes, np.array(blocks, np.int64), found.interval, in_a_row * rows)
    return None if end == WRONG else min(units // in_a_row * 8 * high, file.header.height)


def _tables(data: bytes) -> _Tables | None:
    """What stands before the scan; the file was looked through before, so that its segments follow each other."""
    codes, steps, interval, position = np.zeros((8, 1 << 16), np.uint16), {}, 0, 2
    while position + 4 <= len(data):
        position = data.index(b"\xff", position)
        while data[position + 1] == 0xFF:
            position += 1
        kind, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        content = data[position + 4 : position + 2 + length]
        position += 2 + length
        if kind == _TABLES:
            _add_codes(codes, content)
        elif kind == _QUANTISATION:
            while content:
                wide = content[0] >> 4
                steps[content[0] & 15] = int.from_bytes(content[1 : 2 + wide], "big")
                content = content[1 + 64 * (1 + wide) :]
        elif kind == _RESTARTS:
            interval = int.from_bytes(content[:2], "big")
        elif kind == _SCAN:
            return _Tables(codes, steps, interval, content, position)
    return None


def _add_codes(codes: np.ndarray, content: bytes) -> None:
    """The Huffman tables of one segment: values in the order of their codes, which count upwards (T.81, annex C)."""
    while len(content) >= 17:
        table, counts = codes[(content[0] >> 4 & 1) * 4 + (content[0] & 3)], content[1:17]
        table[:] = 0
        values, start = iter(content[17 : 17 + sum(counts)]), 0
        for length, many in enumerate(counts, 1):
            for value in (next(values, 0) for _ in range(many)):
                end = start + (1 << 16 - length)
                table[start:end] = length << 8 | value
                start = end
        content = content[17 + sum(counts) :]
