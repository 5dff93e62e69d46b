"""A large JPEG without all of its pixels: averages over squares, a sample of pixels and the central window, in one read of its data.

Entropy decoding is the part of decoding that cannot be left out. Averages over a block's squares, and single pixels of it, are
weighted sums of its coefficients; the window's blocks are copied out as a small JPEG, which libjpeg decodes. So no pixel is made
that nobody looks at. What is damaged, or only odd, is left to libjpeg: see docs/decisions/0092.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from driftwatch.images.block_weights import block_weights
from driftwatch.images.entropy import Component, Defined, Tables, components_of, looked_up, tables
from driftwatch.images.headers import ImageFile
from driftwatch.images.jpeg import Warned, pixels
from driftwatch.images.picture import Picture, flips, is_large, sampling, window

_SEQUENTIAL = (0xC0, 0xC1)
_BANDS = (0, 2, 1)  # OpenCV has the red difference before the blue one
_MOST_BYTES = 512  # of a copied block: 64 times a code of 16 bits and a number of 15, and as many zeros behind 0xFF
# Codes of first coefficients in the copied window: four bits, which are the size itself.
_SIZES = bytes(3) + bytes([12]) + bytes(12) + bytes(range(12))


class _Axis(NamedTuple):
    """Of rows or columns: `side` pixels, in `units` of `unit` pixels. `sampled`: the pixels in the sample. `start`, `length`: of the central window.
    `first`, `beyond`: of the units that are copied. These are the window's and one more around them, since libjpeg smooths colours over their
    blocks' edges."""

    side: int
    unit: int
    units: int
    sampled: np.ndarray
    start: int
    length: int
    first: int
    beyond: int

    @property
    def copied(self) -> int:
        """Pixels of the rectangle that is copied."""
        return min(self.beyond * self.unit, self.side) - self.first * self.unit


def _axis(side: int, most: int, step: int, flipped: bool) -> _Axis:
    """`most`: the most blocks of a component in a unit."""
    unit = 8 * most
    units, count = math.ceil(side / unit), max(1, side // step)
    sampled = step * np.arange(count) + (side - 1 - (count - 1) * step if flipped else 0)
    start, length = window(side)
    if flipped:
        start = side - start - length
    first, beyond = max(0, start // unit - 1), min(units, math.ceil((start + length) / unit) + 1)
    return _Axis(side, unit, units, sampled, start, length, first, beyond)


def read_scaled(file: ImageFile, rows: int, columns: int) -> Picture | None:
    """The picture of a large JPEG, upright, whose averages have at least `rows` and `columns`.

    None where the whole must be decoded: the picture is not large, or too many averages are asked for; the file is no JPEG, or a JPEG of several
    scans, of CMYK or of rare sampling factors; or some of its data is not just as encoders write it.
    """
    header, turned = file.header, file.orientation > 4
    height, width = (header.width, header.height) if turned else (header.height, header.width)
    if header.format != "JPEG" or not is_large(height, width):
        return None
    from driftwatch.images.kernels.blocks import read_blocks
    from driftwatch.images.kernels.stuffing import PADDING, unstuffed

    step = sampling(height, width)
    side = next((side for side in (8, 4) if height // side >= rows and width // side >= columns), None)
    scan = None if side is None else _scan_of(file)
    if side is None or scan is None:
        return None
    found, components, lookups = scan
    flipped_down, flipped_right = reversed(flips(file.orientation)) if turned else flips(file.orientation)
    grid = _grid(header.height, header.width, step, flipped_down, flipped_right, side, components)
    down, across = grid.down, grid.across
    coded = np.frombuffer(file.data, np.uint8, len(file.data) - 2 - found.start, found.start)
    stretches = math.ceil(down.units * across.units / found.interval) if found.interval else 1
    data, data_ends = np.empty(len(coded) + PADDING, np.uint8), np.zeros(stretches, np.int64)
    if not unstuffed(coded, data, data_ends):
        return None
    steps = tuple(found.steps[component.steps].astype(np.float32).tobytes() for component in components)
    averages = np.full((header.height // side, header.width // side, 3), 128, np.uint8)
    sample = np.full((len(down.sampled), len(across.sampled), 3), 128, np.uint8)
    placed = np.zeros((down.beyond - down.first + 1, 3, across.units * len(grid.blocks)), np.int64)
    as_written = read_blocks(
        data,
        data_ends,
        found.codes,
        lookups.single,
        lookups.several,
        grid.blocks,
        grid.components,
        np.array([across.units, down.units, found.interval, down.first, down.beyond], np.int64),
        grid.across_wanted,
        grid.down_wanted,
        *block_weights(components, steps, side),
        grid.columns,
        grid.lines,
        grid.lines_until,
        averages,
        sample,
        placed,
    )
    detail = _window_of(file, scan, grid, data, placed[:-1]) if as_written else None
    if detail is None:
        return None
    rgb, sampled = (cv2.cvtColor(part, cv2.COLOR_YCrCb2RGB) for part in (averages, sample))
    return Picture(
        header.height, header.width, np.asarray(rgb, np.uint8), np.asarray(sampled, np.uint8), detail
    ).upright(file.orientation)


class _Scan(NamedTuple):
    """What stands before the only scan of a JPEG that the kernel can read."""

    tables: Tables
    components: tuple[Component, ...]
    lookups: _Lookups


def _scan_of(file: ImageFile) -> _Scan | None:
    """None for a JPEG of another kind."""
    if file.header.channels not in (1, 3) or file.data[file.frame + 1] not in _SEQUENTIAL or not _in_luma(file):
        return None
    found = tables(file)
    components = components_of(file, found) if found else None
    if found is None or components is None or found.scan[1:-3:2] != _names(file):
        return None
    lookups = _lookups(found.defined)
    if not all(lookups.sizes[component.first_codes] for component in components):
        return None
    known = all(component.steps in found.steps for component in components)
    if not known or not {*components[0][:2]} <= {1, 2} or any(other[:2] != (1, 1) for other in components[1:]):
        return None
    return _Scan(found, tuple(components), lookups)


def _window_of(file: ImageFile, scan: _Scan, grid: _Grid, data: np.ndarray, placed: np.ndarray) -> np.ndarray | None:
    """The pixels of the central window: its blocks are copied into a small JPEG, which libjpeg decodes. None where libjpeg warns."""
    from driftwatch.images.kernels.stuffing import copied

    down, across = grid.down, grid.across
    units = len(placed) * (across.beyond - across.first)
    room = np.empty(units * len(grid.blocks) * _MOST_BYTES, np.uint8)
    size = copied(data, placed, grid.blocks, across.first, across.beyond, room)
    if size < 0:
        return None
    head = _copied(file, scan.tables, scan.components, down.copied, across.copied)
    try:
        region = pixels(
            head + room[:size].tobytes() + b"\xff\xd9",
            file.header._replace(height=down.copied, width=across.copied),
        )
    except Warned:
        return None
    top, left = (axis.start - axis.first * axis.unit for axis in (down, across))
    return region[top : top + down.length, left : left + across.length]


def _in_luma(file: ImageFile) -> bool:
    """Whether the components are brightness and two differences of colour, and not red, green and blue. Told as libjpeg does."""
    head = file.data[: file.frame]
    jfif, adobe = head[2:4] == b"\xff\xe0" and head[6:11] == b"JFIF\0", head.find(b"\xff\xee\x00\x0eAdobe")
    if file.header.channels == 1 or jfif:
        return True
    return (head[adobe + 15] == 1 if adobe >= 0 else b"Adobe" not in head) and _names(file) == b"\1\2\3"


def _names(file: ImageFile) -> bytes:
    """The components' names in the order of the frame header."""
    return file.data[file.frame + 10 : file.frame + 10 + 3 * (file.header.channels or 1) : 3]


class _Lookups(NamedTuple):
    """The arguments `single` and `several` of the kernel, and which tables have no other sizes than first coefficients can."""

    single: np.ndarray
    several: np.ndarray
    sizes: list[bool]


@lru_cache(maxsize=16)
def _lookups(tables: Defined) -> _Lookups:
    """Kept for the next file of the same tables."""
    from driftwatch.images.kernels.codes import several, single

    codes = looked_up(tables)
    sizes = [bool((row & 255).max() < len(_SIZES) - 16) for row in codes]
    return _Lookups(
        np.stack([single(row, number < 4) for number, row in enumerate(codes)]),
        np.stack([several(row) for row in codes]),
        sizes,
    )


class _Grid(NamedTuple):
    """Where blocks, averages and the sample lie in pictures of one size and kind; for the arrays see the kernel."""

    down: _Axis
    across: _Axis
    blocks: np.ndarray
    components: np.ndarray
    columns: np.ndarray
    lines: np.ndarray
    lines_until: np.ndarray
    across_wanted: np.ndarray
    down_wanted: np.ndarray


@lru_cache(maxsize=32)
def _grid(
    height: int, width: int, step: int, flipped_down: bool, flipped_right: bool, side: int, of: tuple[Component, ...]
) -> _Grid:
    """Kept for the next picture of that size. `of`: its components; `side`: of the squares that are averaged."""
    down, across = _axis(height, of[0].down, step, flipped_down), _axis(width, of[0].across, step, flipped_right)
    of_unit = sum(component.across * component.down for component in of)
    across_wanted = np.zeros((across.units, of_unit), np.bool_)
    down_wanted = np.zeros((down.units, of_unit), np.bool_)
    blocks: list[tuple[int, ...]] = []
    components, columns, lines, pixels = [], [], [], 0
    for number, component in enumerate(of):
        first, ratios = len(blocks), (of[0].down // component.down, of[0].across // component.across)
        areas = [8 * ratio // side for ratio in ratios]
        (line, y), (column, x) = (
            np.divmod(axis.sampled, 8 * ratio) for axis, ratio in zip((down, across), ratios, strict=True)
        )
        columns.append(np.stack([column // component.across * of_unit + column % component.across, x], axis=1))
        lines.append(np.stack([first + line % component.down * component.across, 8 * ratios[1] * y], axis=1))
        for row in range(component.down):
            for beside in range(component.across):
                block = len(blocks)
                blocks.append((number, component.first_codes, component.other_codes, beside, row))
                across_wanted[column[column % component.across == beside] // component.across, block] = True
                down_wanted[line[line % component.down == row] // component.down, block] = True
                if areas != [1, 1]:
                    across_wanted[:, block] = down_wanted[:, block] = True
        components.append((_BANDS[number], component.across, component.down, areas[1], areas[0], pixels))
        pixels += 64 * ratios[0] * ratios[1]
    return _Grid(
        down,
        across,
        np.array(blocks, np.int64),
        np.array(components, np.int64),
        np.stack(columns),
        np.stack(lines),
        np.searchsorted(down.sampled, down.unit * np.arange(1, down.units + 1)),
        across_wanted.reshape(-1),
        down_wanted,
    )


def _copied(file: ImageFile, found: Tables, components: Sequence[Component], height: int, width: int) -> bytes:
    """What stands before the copied data: all that stands before the file's own, with another size, other codes of first
    coefficients and no restart marks."""
    size = file.frame + 5
    scan = found.start - len(found.scan) - 4
    sizes = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    numbers = {component.first_codes for component in components}
    codes = b"".join(bytes([number]) + _SIZES for number in sorted(numbers))
    segment = b"\xff\xc4" + (2 + len(codes)).to_bytes(2, "big") + codes
    restarts = b"\xff\xdd\0\4\0\0"
    return file.data[:size] + sizes + file.data[size + 4 : scan] + segment + restarts + file.data[scan : found.start]
