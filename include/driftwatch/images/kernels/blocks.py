"""A baseline JPEG's picture data read block by block: weighted sums of each block's coefficients instead of its pixels.

Rows of units (MCUs) are read one after the other: first all codes of a row (`_read_units`), then what is made of its blocks. The loops
over codes are most of the work. So they have no bounds to check and few branches: the data come without stuffed zeros and with PADDING behind
them, at least 56 bits are held, and up to three table look-ups follow each other before more bits are fetched.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from driftwatch.images.kernels.codes import BLOCK_ENDS, CODE_ENDS, SEVERAL_BITS, SINGLE_BITS
from driftwatch.images.kernels.compiled import compiled, inlined

MOST_AREAS = 16  # of one block
# Beyond what encoders write; a file with such a mean is left to libjpeg.
_LARGEST_MEAN = 16_000
_LEFT_FOR_THREE = 56 - 3 * SEVERAL_BITS
f32, u8, u64, at = np.float32, np.uint8, np.uint64, np.uintp
i64: Any = np.int64
_READER = "uint64, int64, int64"  # the next bits from the highest on, how many of them are counted, the place of the next byte
# Of a row's blocks, in the order of the data: their means; where each block's coefficients begin among those found; the coefficients found.
_FOUND = "int64[::1], int64[::1], int32[::1]"


@inlined
def _eight_bytes(data: np.ndarray, place: int) -> np.uint64:
    """In one load, turned round: the compiler sees that."""
    p = at(place)
    high = u64(data[p]) << u64(56) | u64(data[p + at(1)]) << u64(48) | u64(data[p + at(2)]) << u64(40)
    low = u64(data[p + at(5)]) << u64(16) | u64(data[p + at(6)]) << u64(8) | u64(data[p + at(7)])
    return high | u64(data[p + at(3)]) << u64(32) | u64(data[p + at(4)]) << u64(24) | low


@inlined
def _refill(data: np.ndarray, held: np.uint64, left: int, place: int) -> tuple[np.uint64, int, int]:
    """At least 56 bits. Those of a byte that is not whole are there, but do not count: they come again."""
    return held | _eight_bytes(data, place) >> u64(left), left | 56, place + ((63 - left) >> 3)


@inlined
def _number(code: int, held: np.uint64) -> tuple[int, int]:
    """Of a code, as `codes` has it, at the highest bits: how many bits it takes with its number, and the number."""
    size = code & 15
    taken = (code >> 8) + size
    value = i64(held >> u64(64 - taken)) & ((1 << size) - 1)
    return taken, value - (((1 << size) - 1) & ((value << 1 >> size) - 1))  # negative where its highest bit is 0


@compiled(
    f"Tuple(({_READER}, int64))(uint8[::1], uint16[:, ::1], int32[:, ::1], uint16[:, ::1], int64[:, ::1], boolean[::1], boolean[::1], "
    f"int64[:, ::1], int64[::1], int32[::1], int64[::1], int64, int64, int64, {_READER})"
)
def _read_units(
    data: np.ndarray,
    codes: np.ndarray,
    single: np.ndarray,
    several: np.ndarray,
    blocks: np.ndarray,
    across_wanted: np.ndarray,
    down_wanted: np.ndarray,
    placed: np.ndarray,
    begins: np.ndarray,
    found: np.ndarray,
    last_means: np.ndarray,
    first: int,
    beyond: int,
    data_end: int,
    held: np.uint64,
    left: int,
    place: int,
) -> tuple[np.uint64, int, int, int]:
    """Reads some units of a row. `found`: the coefficients of the blocks that are wanted both across and down, each as its number * 65536 + its
    place. Each block's are filled up with zeros to a multiple of four. The last result: how many are in `found` by now, or -1 for what encoders do
    not write."""
    block = first * len(blocks)
    filled = begins[at(block)]
    for _ in range(first, beyond):
        for of_unit in range(len(blocks)):
            component, first_table = at(blocks[at(of_unit), at(0)]), at(blocks[at(of_unit), at(1)])
            table = at(blocks[at(of_unit), at(2)])
            held, left, place = _refill(data, held, left, place)
            one = i64(single[first_table, at(held >> u64(64 - SINGLE_BITS))])
            taken, value = one & 63, one >> 16
            if one == 0:
                code = i64(codes[first_table, at(held >> u64(48))])
                if code == 0 or code & 255 > 11:
                    return held, left, place, i64(-1)
                taken, value = _number(code, held)
            held, left = held << u64(taken), left - taken
            mean = last_means[component] + value
            last_means[component] = placed[at(0), at(block)] = mean
            if abs(mean) > _LARGEST_MEAN:
                return held, left, place, i64(-1)
            if taken > _LEFT_FOR_THREE:
                held, left, place = _refill(data, held, left, place)
            placed[at(1), at(block)] = 8 * place - left
            before, coefficient = (held, left, place), i64(1)
            wanted = across_wanted[at(block)] and down_wanted[at(of_unit)]
            if not wanted:
                while coefficient < 64:
                    for _ in range(3):
                        some = i64(several[table, at(held >> u64(64 - SEVERAL_BITS))])
                        held, left, coefficient = held << u64(some & 63), left - (some & 63), coefficient + (some >> 6)
                        if some == 0 or coefficient >= 64:
                            break
                    if coefficient >= 64:
                        break
                    held, left, place = _refill(data, held, left, place)
                    if some == 0:  # a long code
                        code = i64(codes[table, at(held >> u64(48))])
                        taken = (code >> 8) + (code & 15)
                        held, left = held << u64(taken), left - taken
                        if code & 15 == 0 and code & 255 != 0xF0:
                            if code == 0 or code & 255 != 0:
                                return held, left, place, i64(-1)
                            coefficient += BLOCK_ENDS
                            break
                        coefficient += ((code >> 4) & 15) + 1
                        held, left, place = _refill(data, held, left, place)
                # Where the last coefficient is not zero no code ends the block, and a look-up may have gone on into the next one.
                wanted = coefficient != 64 and not BLOCK_ENDS < coefficient < BLOCK_ENDS + 64
                if wanted:
                    (held, left, place), coefficient = before, i64(1)
            if wanted:
                while coefficient < 64:
                    for _ in range(3):
                        one = i64(single[table, at(held >> u64(64 - SINGLE_BITS))])
                        held, left, coefficient = (
                            held << u64(one & 63),
                            left - (one & 63),
                            coefficient + (one >> 8 & 255),
                        )
                        if one == 0 or coefficient > 64:
                            break
                        found[at(filled)] = one & -65536 | coefficient - 1
                        filled += 1
                        if coefficient == 64:
                            break
                    if coefficient >= 64:
                        break
                    held, left, place = _refill(data, held, left, place)
                    if one == 0:
                        code = i64(codes[table, at(held >> u64(48))])
                        taken, value = _number(code, held)
                        held, left = held << u64(taken), left - taken
                        if code & 15 == 0 and code & 255 != 0xF0:
                            if code == 0 or code & 255 != 0:
                                return held, left, place, i64(-1)
                            break
                        coefficient += ((code >> 4) & 15) + 1
                        if coefficient > 64:
                            break
                        found[at(filled)] = value << 16 | coefficient - 1
                        filled += 1
                        held, left, place = _refill(data, held, left, place)
                if 64 < coefficient < CODE_ENDS:
                    return held, left, place, i64(-1)
                for more in range(3):
                    found[at(filled + more)] = 0
                filled = (filled + 3) & -4
            placed[at(2), at(block)] = 8 * place - left
            if 8 * place - left > data_end:
                return held, left, place, i64(-1)
            block += 1
            begins[at(block)] = filled
    return held, left, place, filled


@inlined
def _shade(value: np.float32) -> np.uint8:
    return u8(min(max(value, f32(0)), f32(255)))


@compiled(f"void(int64, int64[:, ::1], int64[:, ::1], float32[:, :, ::1], uint8[:, :, ::1], {_FOUND})")
def _average(
    down: int,
    blocks: np.ndarray,
    components: np.ndarray,
    weights: np.ndarray,
    picture: np.ndarray,
    means: np.ndarray,
    begins: np.ndarray,
    found: np.ndarray,
) -> None:
    """Writes one row of units into `picture`; what lies beyond it is left out."""
    high, wide = picture.shape[0], picture.shape[1]
    sums = np.zeros(MOST_AREAS, np.float32)
    for of_unit in range(len(blocks)):
        component, column, line = at(blocks[at(of_unit), at(0)]), blocks[at(of_unit), at(3)], blocks[at(of_unit), at(4)]
        band, step = at(components[component, at(0)]), components[component, at(1)]
        areas_across, areas_down = components[component, at(3)], components[component, at(4)]
        top = (down * components[component, at(2)] + line) * areas_down
        for unit in range(len(means) // len(blocks)):
            block, left = unit * len(blocks) + of_unit, (unit * step + column) * areas_across
            mean = f32(means[at(block)]) * weights[component, at(0), at(0)] + f32(128.5)
            if areas_across * areas_down == 1:
                if top < high and left < wide:
                    picture[at(top), at(left), band] = _shade(mean)
                continue
            for area in range(0, areas_across * areas_down, 4):
                sum_0 = sum_1 = sum_2 = sum_3 = mean
                for one in range(begins[at(block)], begins[at(block + 1)], 4):
                    for more in range(4):
                        number, place = f32(found[at(one + more)] >> 16), at(found[at(one + more)] & 63)
                        sum_0 += number * weights[component, place, at(area)]
                        sum_1 += number * weights[component, place, at(area + 1)]
                        sum_2 += number * weights[component, place, at(area + 2)]
                        sum_3 += number * weights[component, place, at(area + 3)]
                sums[at(area)], sums[at(area + 1)], sums[at(area + 2)], sums[at(area + 3)] = sum_0, sum_1, sum_2, sum_3
            for y in range(min(areas_down, high - top)):
                for x in range(min(areas_across, wide - left)):
                    picture[at(top + y), at(left + x), band] = _shade(sums[at(y * areas_across + x)])


@compiled(f"void(int64, int64, float32, float32[:, ::1], int64[:, ::1], int64[::1], uint8[:, ::1], {_FOUND})")
def _sample(
    band: int,
    first_pixel: int,
    of_mean: np.float32,
    weights: np.ndarray,
    columns: np.ndarray,
    line: np.ndarray,
    sample: np.ndarray,
    means: np.ndarray,
    begins: np.ndarray,
    found: np.ndarray,
) -> None:
    """Writes one component of one row of the sample."""
    for column in range(len(columns)):
        block, pixel = columns[at(column), at(0)] + line[0], at(first_pixel + columns[at(column), at(1)] + line[1])
        total = f32(means[at(block)]) * of_mean + f32(128.5)
        for one in range(begins[at(block)], begins[at(block + 1)], 4):
            for more in range(4):
                number = found[at(one + more)]
                total += f32(number >> 16) * weights[pixel, at(number & 63)]
        sample[at(column), at(band)] = _shade(total)


@compiled(
    "boolean(uint8[::1], int64[::1], uint16[:, ::1], int32[:, ::1], uint16[:, ::1], int64[:, ::1], int64[:, ::1], int64[::1], boolean[::1], "
    "boolean[:, ::1], float32[:, :, ::1], float32[:, ::1], int64[:, :, ::1], int64[:, :, ::1], int64[::1], uint8[:, :, ::1], uint8[:, :, ::1], "
    "int64[:, :, ::1])"
)
def read_blocks(
    data: np.ndarray,
    data_ends: np.ndarray,
    codes: np.ndarray,
    single: np.ndarray,
    several: np.ndarray,
    blocks: np.ndarray,
    components: np.ndarray,
    layout: np.ndarray,
    across_wanted: np.ndarray,
    down_wanted: np.ndarray,
    of_areas: np.ndarray,
    of_pixels: np.ndarray,
    columns: np.ndarray,
    lines: np.ndarray,
    lines_until: np.ndarray,
    picture: np.ndarray,
    sample: np.ndarray,
    placed: np.ndarray,
) -> bool:
    """Reads a whole scan. False for anything that is not just as encoders write it.

    What is read:
    - `data`, `data_ends`: see `stuffing.unstuffed`. `single`, `several`: see `kernels.codes`.
    - `codes` [table, next 16 bits]: the code's length * 256 + its value, 0 where there is none.
    - `blocks`, for each block of a unit: component; tables of the first coefficient and of the others; column and row within the unit.
    - `components`: band; blocks across and down in a unit; areas of a block across and down for `picture`; the first of its pixels in `of_pixels`.
    - `layout`: units in a row; rows of units; units between restart marks, or 0; the first row of units that is copied, and the first beyond.
    - `across_wanted` [block of a row], `down_wanted` [row of units, block of a unit]: whether more of a block than its mean is needed.

    What is made: weighted sums of coefficients, plus 128 and cut off at 0 and 255.
    - `picture` [height, width, band], by the weights `of_areas` [component, coefficient in zigzag order, area]. What lies beyond it is left out.
    - `sample`, by the weights `of_pixels` [pixel, coefficient]. `columns`, `lines` [component, of the sample, 2]: the block, counted from the
      row's first and from its column's; the pixel, counted likewise. `lines_until`, for each row of units: the first line of the sample below it.
    - `placed` [row of units, 3, block of a row], for the rows that are copied: each block's mean, and the first bit and the first beyond of its
      other coefficients in `data`. One row more, the last, is for all others.
    """
    units_across, units_down, interval, copy_from, copy_until = layout[0], layout[1], layout[2], layout[3], layout[4]
    held, left, place, stretch = u64(0), i64(0), i64(0), 0
    last_means, in_row = np.zeros(len(components), np.int64), units_across * len(blocks)
    found, begins = np.empty(64 * in_row + 2, np.int32), np.zeros(in_row + 1, np.int64)
    due = interval if interval > 0 else units_across * units_down
    for down in range(units_down):
        of_row = placed[down - copy_from if copy_from <= down < copy_until else copy_until - copy_from]
        unit = i64(0)
        while unit < units_across:
            if due == 0:
                if not 0 <= 8 * (data_ends[at(stretch)] - place) + left < 8:
                    return False
                held, left, place = u64(0), i64(0), data_ends[at(stretch)]
                stretch, due = stretch + 1, interval
                last_means[:] = 0
            beyond = min(units_across, unit + due)
            held, left, place, filled = _read_units(
                data, codes, single, several, blocks, across_wanted, down_wanted[down], of_row, begins, found, last_means,
                unit, beyond, 8 * data_ends[at(stretch)], held, left, place
            )  # fmt: skip
            if filled < 0:
                return False
            unit, due = beyond, due - (beyond - unit)
        _average(down, blocks, components, of_areas, picture, of_row[0], begins, found)
        for line in range(lines_until[down - 1] if down else 0, lines_until[down]):
            for component in range(len(components)):
                band, first, of_mean = components[component, 0], components[component, 5], of_areas[component, 0, 0]
                _sample(
                    band, first, of_mean, of_pixels, columns[component], lines[component, line], sample[line], of_row[0], begins, found
                )  # fmt: skip
    return 0 <= 8 * (data_ends[at(stretch)] - place) + left < 8
