"""A baseline JPEG's picture data read block by block: weighted sums of each block's coefficients instead of its pixels, and a
rectangle of blocks copied out."""

from __future__ import annotations

from typing import Any

import numpy as np

from driftwatch.images.kernels.compiled import compiled

ALL_RIGHT, ODD = 0, 1
SHORT_BITS = 10  # codes up to that long are looked up in a table that stays in the processor's first cache
# Beyond what encoders write; a file with such a mean is left to libjpeg.
_LARGEST_MEAN = 16_000
SEVERAL_BITS = 12  # so many bits hold two or three short codes and their numbers
MOST_SUMS = 32  # of one block
f32, u8, u64, at = np.float32, np.uint8, np.uint64, np.uintp
i64: Any = np.int64
_DATA = "Array(uint8, 1, 'C', True)"
_READER = "Tuple((uint64, int64, int64))"


@compiled(f"{_READER}({_DATA}, uint64, int64, int64)")
def refill(data: np.ndarray, held: np.uint64, left: int, place: int) -> tuple[np.uint64, int, int]:
    """The next bits from the highest on, how many they are, and the place of the next byte: at least 32 bits, unless the data or a
    stretch of them end."""
    if place + 4 <= len(data):
        four = u64(0)
        for byte in range(4):
            four = four << u64(8) | u64(data[at(place + byte)])
        inverse = ~four & u64(0xFFFFFFFF)
        if (inverse - u64(0x01010101)) & four & u64(0x80808080) == 0:  # no byte is 0xFF
            return held | four << u64(32 - left), left + 32, place + 4
    while left <= 56 and place < len(data):
        byte = data[at(place)]
        if byte == 0xFF:
            if place + 1 >= len(data) or data[at(place + 1)] != 0:
                break
            place += 1
        held |= u64(byte) << u64(56 - left)
        left, place = left + 8, place + 1
    return held, left, place


@compiled("Tuple((uint64, int64, int64))(uint8[::1], uint64, int64, int64, uint64, int64)")
def put(
    out: np.ndarray, held: np.uint64, count: int, place: int, bits: np.uint64, many: int
) -> tuple[np.uint64, int, int]:
    """Writes the lowest `many` bits behind those that wait, `count` of `held`; 0xFF is followed by 0, as JPEG wants it."""
    held, count = held << u64(many) | bits, count + many
    while count >= 8:
        byte = u8(held >> u64(count - 8))
        out[at(place)] = byte
        place, count = place + 1, count - 8
        if byte == 0xFF:
            out[at(place)] = 0
            place += 1
    return held & ((u64(1) << u64(count)) - u64(1)), count, place


@compiled("uint16[::1](uint16[::1])")
def several(codes: np.ndarray) -> np.ndarray:
    """By the next SEVERAL_BITS bits: what all codes of other coefficients that are whole in them come to, each with its number. The
    lowest 4 bits: how many bits; the next 8: how many coefficients; the highest: 1 where the block ends. 0 where none is whole.

    `codes` [next 16 bits]: the code's length * 256 + its value.
    """
    found = np.zeros(1 << SEVERAL_BITS, np.uint16)
    for bits in range(1 << SEVERAL_BITS):
        used, steps, ends = 0, 0, 0
        while ends == 0:
            code = i64(codes[at(bits << (16 - SEVERAL_BITS + used) & 0xFFFF)])
            length, value = code >> 8, code & 255
            if (
                code == 0
                or used + length + (value & 15) > SEVERAL_BITS
                or (value & 15 == 0 and value != 0 and value != 0xF0)
            ):
                break
            used += length + (value & 15)
            if value == 0:
                ends = 1
            else:
                steps += (value >> 4) + 1
        found[at(bits)] = used | steps << 4 | ends << 12
    return found


@compiled(
    f"UniTuple(int64, 2)({_DATA}, uint16[:, ::1], uint16[:, ::1], uint16[:, ::1], int64[:, ::1], int64[::1], float32[:, ::1], int32[:, :, ::1], "
    "int32[:, :, ::1], uint8[:, :, ::1], uint8[:, :, ::1], int64[::1], uint8[::1])"
)
def read_blocks(
    data: np.ndarray,
    codes: np.ndarray,
    short: np.ndarray,
    at_once: np.ndarray,
    blocks: np.ndarray,
    layout: np.ndarray,
    weights: np.ndarray,
    columns: np.ndarray,
    lines: np.ndarray,
    picture: np.ndarray,
    sample: np.ndarray,
    window: np.ndarray,
    out: np.ndarray,
) -> tuple[int, int]:
    """Reads a whole scan. Gives ALL_RIGHT, or ODD for anything that is not just as encoders write it, and the bytes of `out`.

    `codes` [table, next 16 bits]: the code's length * 256 + its value, 0 where there is none. `short` [table, next SHORT_BITS]: the
    same for short codes, with the length of code and number together. `at_once` [table]: `several` of each. `blocks`, for each block of a unit: component, tables of the
    first coefficient and of the others, column and row within the unit, blocks of the component across and down in a unit, sums
    across and down of a block for `picture`, the first of these in `weights`, the first of its pixels there, pixels of the picture that
    it covers across and down, band. `layout`: units in a row, rows of units, units between restart marks or 0.

    `weights` [sum, coefficient in zigzag order]. `picture` [height, width, band] and `sample` are filled with these sums, plus
    128 and cut off at 0 and 255; what lies beyond `picture` is left out. `columns`, `lines` [component, block, 3]: the pixels that
    are in the sample: the first of them, how many, and the place of the first within the block; `layout` [3] pixels apart.

    `window`: the first unit across, the first down, and the first beyond across and down of a rectangle that is copied to `out` as
    a scan of its own, with first coefficients in codes of four bits that are the size itself.
    """
    units_across, units_down, interval, apart = layout[0], layout[1], layout[2], layout[3]
    held, left, place, mark = u64(0), 0, 0, 0
    copied, waiting, size = u64(0), 0, 0
    means, copied_means = np.zeros(4, np.int64), np.zeros(4, np.int64)
    found, rows = np.zeros(MOST_SUMS, np.float32), np.zeros(MOST_SUMS, np.uintp)
    high, wide = picture.shape[0], picture.shape[1]
    unit = 0
    for down in range(units_down):
        for across in range(units_across):
            if interval > 0 and unit > 0 and unit % interval == 0:
                held, left, place = refill(data, held, left, place)
                if left >= 8 or place + 2 > len(data) or data[at(place)] != 0xFF or data[at(place + 1)] != 0xD0 + mark:
                    return ODD, 0
                held, left, place, mark = u64(0), 0, place + 2, (mark + 1) % 8
                means[:] = 0
            unit += 1
            copy = window[0] <= across < window[2] and window[1] <= down < window[3]
            for number in range(len(blocks)):
                block = at(number)
                component, table = at(blocks[block, at(0)]), at(blocks[block, at(2)])
                column = at(across * blocks[block, at(5)] + blocks[block, at(3)])
                line = at(down * blocks[block, at(6)] + blocks[block, at(4)])
                # The first coefficient.
                if left < 32:
                    held, left, place = refill(data, held, left, place)
                code = i64(short[at(blocks[block, at(1)]), at(held >> u64(64 - SHORT_BITS))])
                if code == 0:
                    code = i64(codes[at(blocks[block, at(1)]), at(held >> u64(48))])
                    code += (code & 15) << 8
                extra, taken = code & 255, code >> 8
                if code == 0 or extra > 11:
                    return ODD, 0
                value = i64(held >> u64(64 - taken)) & ((1 << extra) - 1)
                value -= ((1 << extra) - 1) & ((value << 1 >> extra) - 1)  # negative where its highest bit is 0
                held, left = held << u64(taken), left - taken
                mean = means[component] + value
                means[component] = mean
                if abs(mean) > _LARGEST_MEAN:
                    return ODD, 0
                if copy:
                    difference = mean - copied_means[component]
                    copied_means[component] = mean
                    length = 0
                    while abs(difference) >> length:
                        length += 1
                    if length > 11:
                        return ODD, 0
                    bits = difference if difference >= 0 else difference + (1 << length) - 1
                    copied, waiting, size = put(out, copied, waiting, size, u64(length << length | bits), 4 + length)
                # The other coefficients.
                areas, area, coefficient = blocks[block, at(7)], at(blocks[block, at(8)]), i64(1)
                many_across, many_down = columns[component, column, at(1)], lines[component, line, at(1)]
                shade = f32(mean) * weights[at(0), area] + f32(128.5)
                if areas == 1 and many_across * many_down == 0 and not copy:
                    while coefficient < 64:
                        if left < 32:
                            held, left, place = refill(data, held, left, place)
                        some = i64(at_once[table, at(held >> u64(64 - SEVERAL_BITS))])
                        steps, ends = some >> 4 & 255, some >> 12
                        if some != 0 and coefficient + steps + ends <= 64:
                            held, left = held << u64(some & 15), left - (some & 15)
                            coefficient += steps
                            if ends != 0:
                                break
                            continue
                        code = i64(codes[table, at(held >> u64(48))])
                        code += (code & 15) << 8
                        taken = code >> 8
                        held, left = held << u64(taken), left - taken
                        if code & 15 == 0 and code & 255 != 0xF0:
                            if code == 0 or code & 255 != 0:
                                return ODD, 0
                            break
                        coefficient += ((code >> 4) & 15) + 1
                    if coefficient > 64 or left < 0:
                        return ODD, 0
                else:
                    # The sums over its areas, and behind them those for its pixels that are in the sample.
                    many = i64(0)
                    if areas > 1:
                        for many in range(areas):
                            rows[at(many)] = area + at(many)
                        many = areas
                    first_pixel = blocks[block, at(9)] + columns[component, column, at(2)]
                    for y in range(many_down if many_across > 0 else 0):
                        line_of = lines[component, line, at(2)] + y * apart
                        for x in range(many_across):
                            rows[at(many)] = at(first_pixel + line_of * blocks[block, at(10)] + x * apart)
                            many += 1
                    for sum_of in range(many):
                        found[at(sum_of)] = shade
                    while coefficient < 64:
                        if left < 32:
                            held, left, place = refill(data, held, left, place)
                        code = i64(short[table, at(held >> u64(64 - SHORT_BITS))])
                        if code == 0:
                            code = i64(codes[table, at(held >> u64(48))])
                            code += (code & 15) << 8
                        if code == 0:
                            return ODD, 0
                        taken, step, extra = code >> 8, (code >> 4) & 15, code & 15
                        bits = i64(held >> u64(64 - taken))
                        held, left = held << u64(taken), left - taken
                        if copy:
                            copied, waiting, size = put(out, copied, waiting, size, u64(bits), taken)
                        if extra == 0:
                            if step == 0:
                                break
                            if step != 15:
                                return ODD, 0
                            coefficient += 16
                            continue
                        coefficient += step
                        if coefficient > 63:
                            return ODD, 0
                        value = bits & ((1 << extra) - 1)
                        value -= ((1 << extra) - 1) & ((value << 1 >> extra) - 1)
                        amount = f32(value)
                        for sum_of in range(many):
                            found[at(sum_of)] += amount * weights[at(coefficient), rows[at(sum_of)]]
                        coefficient += 1
                    if coefficient > 64 or left < 0:
                        return ODD, 0
                # Written down.
                band = at(blocks[block, at(11)])
                if areas == 1:
                    if line < high and column < wide:
                        shade = f32(mean) * weights[at(0), area] + f32(128.5)
                        picture[line, column, band] = u8(min(max(shade, f32(0)), f32(255)))
                else:
                    many = i64(0)
                    sums_across, sums_down = blocks[block, at(12)], blocks[block, at(13)]
                    top, start = i64(line) * sums_down, i64(column) * sums_across
                    for y in range(top, top + sums_down):
                        for x in range(start, start + sums_across):
                            if y < high and x < wide:
                                picture[at(y), at(x), band] = u8(min(max(found[at(many)], f32(0)), f32(255)))
                            many += 1
                if many_across > 0:
                    many = areas if areas > 1 else i64(0)
                    for y in range(many_down):
                        for x in range(many_across):
                            shade = min(max(found[at(many)], f32(0)), f32(255))
                            row_of, column_of = lines[component, line, at(0)] + y, columns[component, column, at(0)] + x
                            sample[at(row_of), at(column_of), band] = u8(shade)
                            many += 1
    if left >= 8 or place != len(data):
        return ODD, 0
    if waiting > 0:
        copied, waiting, size = put(out, copied, waiting, size, (u64(1) << u64(8 - waiting)) - u64(1), 8 - waiting)
    return ALL_RIGHT, size
