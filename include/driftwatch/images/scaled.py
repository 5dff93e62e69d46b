"""A large JPEG without all of its pixels: averages over squares, a sample of pixels and the central window, in one read of its data.

Entropy decoding is the part of decoding that cannot be left out. Averages over a block's squares, and single pixels of it, are
weighted sums of its coefficients; the window's blocks are copied out as a small JPEG, which libjpeg decodes. So no pixel is made
that nobody looks at. What is damaged, or only odd, is left to libjpeg: see docs/decisions/0092.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

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
    """Of rows or columns: `side` pixels, in `units` of `unit` pixels. `sampled` of them are in the sample; `seen` [component, block, 3]: the
    first of those in a block, how many, and the place of the first within the block. `start`, `length`: of the central window; `first`,
    `beyond`: of the units that are copied, the window's with one around them, since libjpeg smooths colours over their blocks' edges."""

    side: int
    unit: int
    units: int
    sampled: int
    seen: np.ndarray
    start: int
    length: int
    first: int
    beyond: int

    @property
    def copied(self) -> int:
        """Pixels of the rectangle that is copied."""
        return min(self.beyond * self.unit, self.side) - self.first * self.unit


@lru_cache(maxsize=64)
def _axis(side: int, most: int, step: int, flipped: bool, blocks: tuple[int, ...]) -> _Axis:
    """`blocks`: of each component in a unit; `most`: the most of these. Kept for the next picture of that size."""
    unit = 8 * most
    units, count = math.ceil(side / unit), max(1, side // step)
    sampled = step * np.arange(count) + (side - 1 - (count - 1) * step if flipped else 0)
    start, length = window(side)
    if flipped:
        start = side - start - length
    seen = np.zeros((len(blocks), units * most, 3), np.int32)
    for component, of_unit in enumerate(blocks):
        edges = np.arange(units * of_unit) * (unit // of_unit)
        first = np.searchsorted(sampled, edges)
        many = np.searchsorted(sampled, edges + unit // of_unit) - first
        place = np.where(many > 0, sampled[np.minimum(first, count - 1)] - edges, 0)
        seen[component, : len(edges)] = np.stack([first, many, place], axis=1)
    first_unit, beyond = max(0, start // unit - 1), min(units, math.ceil((start + length) / unit) + 1)
    return _Axis(side, unit, units, count, seen, start, length, first_unit, beyond)


def read_scaled(file: ImageFile, rows: int, columns: int) -> Picture | None:
    """The picture of a large JPEG, upright, whose averages have at least `rows` and `columns`.

    None where the whole must be decoded: it is not large, or too many averages are asked for; it is no JPEG, or one of several scans,
    of CMYK, or of rare sampling factors; or anything of its data is not just as encoders write it.
    """
    from driftwatch.images.kernels.blocks import ALL_RIGHT, read_blocks

    header, turned = file.header, file.orientation > 4
    height, width = (header.width, header.height) if turned else (header.height, header.width)
    step = sampling(height, width)
    if header.format != "JPEG" or not is_large(height, width):
        return None
    side = next((side for side in (8, 4) if height // side >= rows and width // side >= columns), None)
    if (
        side is None
        or header.channels not in (1, 3)
        or file.data[file.frame + 1] not in _SEQUENTIAL
        or not _in_luma(file)
    ):
        return None
    found = tables(file)
    components = components_of(file, found) if found else None
    if found is None or components is None or found.scan[1:-3:2] != _names(file):
        return None
    wide, high = components[0].across, components[0].down
    known = all(component.steps in found.steps for component in components)
    lookups = _lookups(found.defined)
    if not all(lookups.sizes[component.first_codes] for component in components):
        return None
    if not known or not {wide, high} <= {1, 2} or any(other[:2] != (1, 1) for other in components[1:]):
        return None
    flipped_down, flipped_right = reversed(flips(file.orientation)) if turned else flips(file.orientation)
    down = _axis(header.height, high, step, flipped_down, tuple(component.down for component in components))
    across = _axis(header.width, wide, step, flipped_right, tuple(component.across for component in components))
    steps = tuple(found.steps[component.steps].astype(np.float32).tobytes() for component in components)
    blocks, weights = _blocks(tuple(components), steps, side)
    averages = np.full((header.height // side, header.width // side, 3), 128, np.uint8)
    sample = np.full((down.sampled, across.sampled, 3), 128, np.uint8)
    room = np.empty((down.beyond - down.first) * (across.beyond - across.first) * len(blocks) * _MOST_BYTES, np.uint8)
    verdict, size = read_blocks(
        np.frombuffer(file.data, np.uint8, len(file.data) - 2 - found.start, found.start),
        found.codes,
        lookups.short,
        lookups.at_once,
        blocks,
        np.array([across.units, down.units, found.interval, step], np.int64),
        weights,
        across.seen,
        down.seen,
        averages,
        sample,
        np.array([across.first, down.first, across.beyond, down.beyond], np.int64),
        room,
    )
    if verdict != ALL_RIGHT:
        return None
    copy = _copied(file, found, components, down.copied, across.copied) + room[:size].tobytes() + b"\xff\xd9"
    try:
        region = pixels(copy, header._replace(height=down.copied, width=across.copied))
    except Warned:
        return None
    top, left = (axis.start - axis.first * axis.unit for axis in (down, across))
    detail = region[top : top + down.length, left : left + across.length]
    rgb, sampled = (cv2.cvtColor(part, cv2.COLOR_YCrCb2RGB) for part in (averages, sample))
    return Picture(
        header.height, header.width, np.asarray(rgb, np.uint8), np.asarray(sampled, np.uint8), detail
    ).upright(file.orientation)


def _in_luma(file: ImageFile) -> bool:
    """Whether the components are brightness and two differences of colour, as libjpeg tells it: not so in JPEGs of red, green and blue."""
    head = file.data[: file.frame]
    jfif, adobe = head[2:4] == b"\xff\xe0" and head[6:11] == b"JFIF\0", head.find(b"\xff\xee\x00\x0eAdobe")
    if file.header.channels == 1 or jfif:
        return True
    return (head[adobe + 15] == 1 if adobe >= 0 else b"Adobe" not in head) and _names(file) == b"\1\2\3"


def _names(file: ImageFile) -> bytes:
    """The components' names in the order of the frame header."""
    return file.data[file.frame + 10 : file.frame + 10 + 3 * (file.header.channels or 1) : 3]


class _Lookups(NamedTuple):
    """The arguments `short` and `at_once` of the kernel, and which tables have no other sizes than first coefficients can."""

    short: np.ndarray
    at_once: np.ndarray
    sizes: list[bool]


@lru_cache(maxsize=16)
def _lookups(tables: Defined) -> _Lookups:
    """Kept for the next file of the same tables."""
    from driftwatch.images.kernels.blocks import SHORT_BITS, several

    codes = looked_up(tables)
    short = codes[:, :: 1 << 16 - SHORT_BITS]
    short = np.where(short >> 8 <= SHORT_BITS, short + ((short & 15) << 8) * (short > 0), 0).astype(np.uint16)
    sizes = [bool((row & 255).max() < len(_SIZES) - 16) for row in codes]
    return _Lookups(short, np.stack([several(row) for row in codes]), sizes)


@lru_cache(maxsize=32)
def _blocks(components: tuple[Component, ...], steps: tuple[bytes, ...], side: int) -> tuple[np.ndarray, np.ndarray]:
    """The arguments `blocks` and `weights` of the kernel, for averages over squares of `side` pixels. Kept for the next file that was
    made in the same way. `steps`: the quantisation of each component's coefficients, float32 [64]."""
    blocks, weights, row = [], [], 0
    for number, component in enumerate(components):
        ratios = components[0].across // component.across, components[0].down // component.down
        sums = tuple(8 * ratio // side for ratio in ratios)
        of_component = _weights(*ratios, *sums) * np.frombuffer(steps[number], np.float32)
        for y in range(component.down):
            for x in range(component.across):
                place = (number, component.first_codes, component.other_codes, x, y, component.across, component.down)
                pixel = row + sums[0] * sums[1]
                blocks.append((*place, sums[0] * sums[1], row, pixel, 8 * ratios[0], _BANDS[number], *sums))
        weights.append(of_component)
        row += len(of_component)
    return np.array(blocks, np.int64), np.ascontiguousarray(np.concatenate(weights).T)


@lru_cache(maxsize=32)
def _weights(ratio_across: int, ratio_down: int, sums_across: int, sums_down: int) -> np.ndarray:
    """How much each coefficient, in zigzag order, counts in the averages over a block's squares and in each pixel that it covers."""
    place, wave = np.arange(8), np.arange(8)
    cosines = np.cos((2 * place[:, None] + 1) * wave * np.pi / 16) * np.where(wave == 0, np.sqrt(1 / 8), 1 / 2)

    def both(down: np.ndarray, across: np.ndarray) -> np.ndarray:
        return np.einsum("yv,xu->yxvu", down, across).reshape(-1, 64)

    def averaged(sums: int) -> np.ndarray:
        return cosines.reshape(sums, 8 // sums, 8).mean(axis=1)

    def enlarged(ratio: int) -> np.ndarray:
        """As libjpeg's triangle filter, within the block."""
        if ratio == 1:
            return cosines
        beside = np.stack([np.maximum(place - 1, 0), np.minimum(place + 1, 7)], axis=1).ravel()
        return 0.75 * np.repeat(cosines, 2, axis=0) + 0.25 * cosines[beside]

    weights = np.concatenate(
        [both(averaged(sums_down), averaged(sums_across)), both(enlarged(ratio_down), enlarged(ratio_across))]
    )
    down, across = np.divmod(np.arange(64), 8)
    diagonal = down + across
    zigzag = np.lexsort((np.where(diagonal % 2, down, across), diagonal))
    return np.ascontiguousarray(weights[:, zigzag], np.float32)


def _copied(file: ImageFile, found: Tables, components: list[Component], height: int, width: int) -> bytes:
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
