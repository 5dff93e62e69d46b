"""How far a baseline JPEG's picture data can be right."""

from __future__ import annotations

import numpy as np

from driftwatch.images.kernels.compiled import compiled

RAN_OUT, WRONG, WHOLE = 0, 1, 2


@compiled("UniTuple(int64, 2)(Array(uint8, 1, 'C', True), uint16[:, ::1], int64[:, ::1], int64, int64)")
def whole_units(data: np.ndarray, codes: np.ndarray, blocks: np.ndarray, interval: int, units: int) -> tuple[int, int]:
    """Reads up to `units` units (MCUs) of a scan without decoding a pixel: how many are whole, and RAN_OUT, WRONG or WHOLE.

    `codes` [table, next 16 bits]: the code's length * 256 + its value, 0 where there is none. `blocks`: for each block of a
    unit, its component, table of the first coefficient, table of the others, and the first coefficient's largest size.
    `interval`: units between restart marks, or 0. Wrong is what no encoder writes: no such code, more than 64 coefficients, a mean
    beyond white or black, bytes left before a restart mark, a mark where none is due.
    """
    size, position, held, bits, mark = len(data), 0, 0, 0, 0
    means = np.zeros(4, np.int64)
    for unit in range(units):
        if interval > 0 and unit > 0 and unit % interval == 0:
            if bits >= 8:
                return unit, WRONG
            while position + 1 < size and data[position] == 0xFF and data[position + 1] == 0xFF:
                position += 1
            if position + 2 > size:
                return unit, RAN_OUT
            if data[position] != 0xFF or data[position + 1] != 0xD0 + mark:
                return unit, WRONG
            position, held, bits, mark = position + 2, 0, 0, (mark + 1) % 8
            means[:] = 0
        for block in range(len(blocks)):
            coefficient = 0
            while coefficient < 64:
                while bits <= 40 and position < size:
                    if data[position] != 0xFF:
                        held, bits, position = held << 8 | data[position], bits + 8, position + 1
                    elif position + 1 < size and data[position + 1] == 0:
                        held, bits, position = held << 8 | 0xFF, bits + 8, position + 2
                    else:
                        break
                seen = held >> (bits - 16) & 0xFFFF if bits >= 16 else held << (16 - bits) & 0xFFFF
                code = int(codes[blocks[block, 1 if coefficient == 0 else 2], seen])
                length, value = code >> 8, code & 255
                extra = value & 15
                if length == 0 and bits >= 16:
                    return unit, WRONG
                if length == 0 or length + extra > bits:
                    return unit, RAN_OUT if position + 1 >= size else WRONG
                bits -= length + extra
                number = held >> bits & ((1 << extra) - 1)
                held &= (1 << bits) - 1
                if coefficient == 0:
                    if value > 11:
                        return unit, WRONG
                    if extra > 0 and number >> (extra - 1) == 0:
                        number -= (1 << extra) - 1
                    means[blocks[block, 0]] += number
                    if abs(means[blocks[block, 0]]) > blocks[block, 3]:
                        return unit, WRONG
                    coefficient = 1
                elif extra > 0:
                    coefficient += (value >> 4) + 1
                    if coefficient > 64 or extra > 10:
                        return unit, WRONG
                elif value == 0xF0:
                    coefficient += 16
                    if coefficient > 64:
                        return unit, WRONG
                elif value == 0:
                    coefficient = 64
                else:
                    return unit, WRONG
    return units, WHOLE
