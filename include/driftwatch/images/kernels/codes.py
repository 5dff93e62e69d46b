"""Tables of what a JPEG's next bits come to, for `driftwatch.images.kernels.blocks`. They are small, to stay in the processor's first cache.

`codes` [next 16 bits], in each: the code's length * 256 + its value, 0 where there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from driftwatch.images.kernels.compiled import compiled

SINGLE_BITS = 10  # codes that take so many bits with their number, or fewer, are looked up
SEVERAL_BITS = 12  # so many bits hold two or three short codes and their numbers
CODE_ENDS, BLOCK_ENDS = 128, 256  # steps, beyond any others, of the code that ends a block
i64: Any = np.int64


@compiled("uint16[::1](uint16[::1])")
def several(codes: np.ndarray) -> np.ndarray:
    """By the next SEVERAL_BITS bits: what the codes of other than first coefficients that are whole in these bits come to together, each with its
    number. The lowest 6 bits: how many bits. Above: how many coefficients, and BLOCK_ENDS more where the block ends. 0 where none is whole."""
    found = np.zeros(1 << SEVERAL_BITS, np.uint16)
    for bits in range(1 << SEVERAL_BITS):
        used, steps = 0, 0
        while steps < BLOCK_ENDS:
            code = i64(codes[bits << (16 - SEVERAL_BITS + used) & 0xFFFF])
            length, value = code >> 8, code & 255
            if (
                code == 0
                or used + length + (value & 15) > SEVERAL_BITS
                or (value & 15 == 0 and value != 0 and value != 0xF0)
            ):
                break
            used += length + (value & 15)
            steps += BLOCK_ENDS if value == 0 else (value >> 4) + 1
        found[bits] = used | steps << 6
    return found


def single(codes: np.ndarray, first: bool) -> np.ndarray:
    """By the next SINGLE_BITS bits: what one code with its number comes to. The lowest 6 bits: how many bits. From the ninth on: how many
    coefficients; CODE_ENDS where the block ends, 0 for a `first` coefficient. The highest 16: the number, signed. All is 0 for a longer code, and
    for a code that encoders do not write."""
    known = codes[:: 1 << 16 - SINGLE_BITS].astype(np.int32)
    value, size = known & 255, known & 15
    taken = (known >> 8) + size
    low = (np.arange(1 << SINGLE_BITS) >> np.maximum(SINGLE_BITS - taken, 0)) & ((1 << size) - 1)
    number = np.where(low < 1 << size >> 1, low - (1 << size) + 1, low)  # negative where its highest bit is 0
    steps = np.zeros_like(value) if first else np.where(value == 0, CODE_ENDS, (value >> 4) + 1)
    right = value <= 11 if first else (size > 0) | (value == 0) | (value == 0xF0)
    return np.where((known > 0) & (taken <= SINGLE_BITS) & right, number << 16 | steps << 8 | taken, 0).astype(np.int32)
