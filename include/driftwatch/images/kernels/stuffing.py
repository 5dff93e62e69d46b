"""What JPEG puts between a scan's data: zeros behind 0xFF, and restart marks. They are taken away, and blocks are written with zeros again."""

from __future__ import annotations

from typing import Any

import numpy as np

from driftwatch.images.kernels.compiled import compiled

PADDING = 272  # one block's 64 codes of 16 bits with numbers of 15 are 248 bytes; a few more are looked at
u8, u64, at = np.uint8, np.uint64, np.uintp
i64: Any = np.int64


@compiled("boolean(Array(uint8, 1, 'C', True), uint8[::1], int64[::1])")
def unstuffed(data: np.ndarray, out: np.ndarray, ends: np.ndarray) -> bool:
    """Writes a scan's data into `out`, without the zeros behind 0xFF and the restart marks; `out` is longer by PADDING. `ends`: where each stretch
    between marks ends in `out`. False where there are more, fewer or other marks."""
    place, size, stretch = i64(0), i64(0), i64(0)
    while place < len(data):
        if place + 8 <= len(data):
            plain = True
            for byte in range(8):
                here = data[at(place + byte)]
                out[at(size + byte)] = here
                plain &= here != 0xFF
            if plain:
                place, size = place + 8, size + 8
                continue
        here, place = data[at(place)], place + 1
        if here == 0xFF:
            if place >= len(data):
                return False
            after, place = data[at(place)], place + 1
            if after != 0:
                if after != 0xD0 + stretch % 8 or stretch + 1 >= len(ends):
                    return False
                ends[at(stretch)], stretch = size, stretch + 1
                continue
        out[at(size)], size = here, size + 1
    ends[at(stretch)] = size
    out[size : size + PADDING] = 0
    return stretch + 1 == len(ends)


@compiled("Tuple((uint64, int64, int64))(uint8[::1], uint64, int64, int64, uint64, int64)")
def _put(
    out: np.ndarray, held: np.uint64, count: int, place: int, bits: np.uint64, many: int
) -> tuple[np.uint64, int, int]:
    """Writes the lowest `many` bits behind those that wait, `count` of `held`; 0xFF is followed by 0."""
    held, count = held << u64(many) | bits, count + many
    while count >= 8:
        byte = u8(held >> u64(count - 8))
        out[at(place)] = byte
        place, count = place + 1, count - 8
        if byte == 0xFF:
            out[at(place)] = 0
            place += 1
    return held & ((u64(1) << u64(count)) - u64(1)), count, place


@compiled("int64(uint8[::1], int64[:, :, ::1], int64[:, ::1], int64, int64, uint8[::1])")
def copied(data: np.ndarray, placed: np.ndarray, blocks: np.ndarray, first: int, beyond: int, out: np.ndarray) -> int:
    """Copies a rectangle of blocks to `out` as a scan of its own: of each of the rows `placed`, the units from `first` to `beyond`. A first
    coefficient gets a code of four bits, which is its size. Gives how many bytes were written; -1 where a size has no such code. For `data`,
    `placed` and `blocks` see `blocks.read_blocks`."""
    held, waiting, size = u64(0), i64(0), i64(0)
    last_means = np.zeros(4, np.int64)
    for row in range(len(placed)):
        for block in range(first * len(blocks), beyond * len(blocks)):
            component, mean = blocks[block % len(blocks), 0], placed[row, 0, block]
            difference, length = mean - last_means[component], 0
            last_means[component] = mean
            while abs(difference) >> length:
                length += 1
            if length > 11:
                return -1
            bits = difference if difference >= 0 else difference + (1 << length) - 1
            held, waiting, size = _put(out, held, waiting, size, u64(length << length | bits), 4 + length)
            start, end = placed[row, 1, block], placed[row, 2, block]
            while start < end:
                many, part = min(i64(32), end - start), u64(0)
                for byte in range(5):
                    part = part << u64(8) | u64(data[at((start >> 3) + byte)])
                part = part << u64(24 + (start & 7)) >> u64(64 - many)
                held, waiting, size = _put(out, held, waiting, size, part, many)
                start += many
    if waiting > 0:
        held, waiting, size = _put(out, held, waiting, size, (u64(1) << u64(8 - waiting)) - u64(1), 8 - waiting)
    return size
