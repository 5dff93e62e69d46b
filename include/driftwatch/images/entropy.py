"""How much of a baseline JPEG is there: its picture data are read block by block, without decoding a pixel."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from driftwatch.images.headers import ImageFile

_TABLES, _QUANTISATION, _RESTARTS, _SCAN = 0xC4, 0xDB, 0xDD, 0xDA
# The mean of a block is 1,024 at most, eight times the distance from grey to black; encoders round, and some overshoot.
_LARGEST_MEAN = 1300
# For the number of each table: how many codes there are of each length, and their values.
Defined: TypeAlias = tuple[tuple[int, tuple[bytes, bytes]], ...]


class Tables(NamedTuple):
    """What stands before a file's only scan.

    `codes` [table, next 16 bits]: the code's length * 256 + its value, 0 where there is none; tables 0 to 3 are those of first coefficients.
    `defined`: how the file gives them. `steps`: the 64 steps of each quantisation table, in zigzag order. `interval`: units between restart
    marks, or 0. `scan`: the scan's header; its data begin at `start`.
    """

    codes: np.ndarray
    defined: Defined
    steps: dict[int, np.ndarray]
    interval: int
    scan: bytes
    start: int


class Component(NamedTuple):
    """Of a colour component: its blocks across and down in a unit, the numbers of its quantisation table and of its codes."""

    across: int
    down: int
    steps: int
    first_codes: int
    other_codes: int


def rows_held(file: ImageFile) -> int | None:
    """The rows, from the top, that the file's data hold whole, all of `height` or fewer; None where the data are wrong before they
    end, or in several scans."""
    from driftwatch.images.kernels.huffman import WRONG, whole_units

    found = tables(file)
    components = components_of(file, found) if found else None
    if found is None or components is None:
        return None
    wide, high = (max(component[axis] for component in components) for axis in (0, 1))
    blocks = []
    for number, component in enumerate(components):
        first = int(found.steps[component.steps][0]) if component.steps in found.steps else 1
        limit = _LARGEST_MEAN // max(1, first) + 2
        blocks += [(number, component.first_codes, component.other_codes, limit)] * (component.across * component.down)
    in_a_row, rows = math.ceil(file.header.width / (8 * wide)), math.ceil(file.header.height / (8 * high))
    data = np.frombuffer(file.data, np.uint8, len(file.data) - 2 - found.start, found.start)
    units, end = whole_units(data, found.codes, np.array(blocks, np.int64), found.interval, in_a_row * rows)
    return None if end == WRONG else min(units // in_a_row * 8 * high, file.header.height)


def components_of(file: ImageFile, found: Tables) -> list[Component] | None:
    """The components in the order of the only scan; None where it has not all of them. One that is alone has units of one block."""
    count = file.header.channels or 1
    frame = file.data[file.frame + 10 : file.frame + 10 + 3 * count]
    known = {frame[at]: (frame[at + 1] >> 4, frame[at + 1] & 15, frame[at + 2]) for at in range(0, 3 * count, 3)}
    names, codes = found.scan[1:-3:2], found.scan[2:-3:2]
    if len(found.scan) != 4 + 2 * count or sorted(names) != sorted(known):
        return None
    components = []
    for name, numbers in zip(names, codes, strict=True):
        across, down, steps = known[name] if count > 1 else (1, 1, known[name][2])
        components.append(Component(across, down, steps, numbers >> 4 & 3, 4 + (numbers & 3)))
    return components


def tables(file: ImageFile) -> Tables | None:
    """What stands before the scan; None where there are several. The file was looked through before, so that its segments follow
    each other."""
    if file.scans != 1:
        return None
    data = file.data
    codes: dict[int, tuple[bytes, bytes]] = {}
    steps: dict[int, np.ndarray] = {}
    interval, position = 0, 2
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
                wide = 1 if content[at] >> 4 else 0
                numbers = content[at + 1 : at + 1 + 64 * (1 + wide)]
                if len(numbers) < 64 * (1 + wide):
                    return None
                steps[content[at] & 15] = np.frombuffer(numbers, ">u2" if wide else np.uint8)
                at += 1 + len(numbers)
        elif kind == _RESTARTS:
            interval = int.from_bytes(content[:2], "big")
        elif kind == _SCAN:
            defined = tuple(sorted(codes.items()))
            return Tables(looked_up(defined), defined, steps, interval, content, position)
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


@lru_cache(maxsize=16)  # most encoders write the tables of the standard's annex K; each takes a megabyte
def looked_up(tables: Defined) -> np.ndarray:
    """By table and next 16 bits: the code's length and value; codes are in the order of their values, and count upwards (T.81, annex C).

    Made of the tables that are left at the end alone: a file may define each a hundred thousand times.
    """
    codes = np.zeros((8, 1 << 16), np.uint16)
    for number, (counts, content) in tables:
        values, start = iter(content), 0
        for length, many in enumerate(counts, 1):
            for value in (next(values, 0) for _ in range(many)):
                end = start + (1 << 16 - length)
                codes[number, start:end] = length << 8 | value
                start = end
        if start > 1 << 16:  # more codes than there can be: libjpeg refuses the table
            codes[number] = 0
    return codes
