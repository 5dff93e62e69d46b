"""How much of a baseline JPEG is there: its picture data are read block by block, without decoding a pixel."""

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
    codes: dict[int, tuple[bytes, bytes]] = {}
    steps, interval, position = {}, 0, 2
    while position + 4 <= len(data):
        position = data.index(b"\xff", position)
        while data[position + 1] == 0xFF:
            position += 1
        kind, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        content = data[position + 4 : position + 2 + length]
        position += 2 + length
        if kind == _TABLES:
            codes |= _codes(content)
        elif kind == _QUANTISATION:
            at = 0
            while at < len(content):
                wide = content[at] >> 4
                steps[content[at] & 15] = int.from_bytes(content[at + 1 : at + 2 + wide], "big")
                at += 1 + 64 * (1 + wide)
        elif kind == _RESTARTS:
            interval = int.from_bytes(content[:2], "big")
        elif kind == _SCAN:
            return _Tables(_looked_up(codes), steps, interval, content, position)
    return None


def _codes(content: bytes) -> dict[int, tuple[bytes, bytes]]:
    """The Huffman tables of one segment by number: how many codes there are of each length, and their values."""
    found, at = {}, 0
    while at + 17 <= len(content):
        counts = content[at + 1 : at + 17]
        end = at + 17 + sum(counts)
        found[(content[at] >> 4 & 1) * 4 + (content[at] & 3)] = counts, content[at + 17 : end]
        at = end
    return found


def _looked_up(tables: dict[int, tuple[bytes, bytes]]) -> np.ndarray:
    """By table and next 16 bits: the code's length and value; codes are in the order of their values, and count upwards (T.81, annex C).

    Made of the tables that are left at the end alone: a file may define each a hundred thousand times.
    """
    codes = np.zeros((8, 1 << 16), np.uint16)
    for number, (counts, content) in tables.items():
        values, start = iter(content), 0
        for length, many in enumerate(counts, 1):
            for value in (next(values, 0) for _ in range(many)):
                end = start + (1 << 16 - length)
                codes[number, start:end] = length << 8 | value
                start = end
    return codes
