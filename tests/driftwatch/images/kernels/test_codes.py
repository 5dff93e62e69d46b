"""What JPEG's next bits come to, looked up at once, is what one code after the other gives."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from driftwatch.images.entropy import looked_up, tables
from driftwatch.images.headers import ImageFile
from driftwatch.images.jpeg import read_jpeg
from driftwatch.images.kernels.codes import BLOCK_ENDS, CODE_ENDS, SEVERAL_BITS, SINGLE_BITS, several, single

from ..files import encoded, picture

# Of one, two and three bits, and none for what begins with three ones: the block's end, four coefficients, and sixteen zeros.
SHORT = ((4, (bytes([1, 1, 1, *[0] * 13]), bytes([0, 0x31, 0xF0]))),)
WRONG = ((4, (bytes([1, 1, 1, *[0] * 13]), bytes([0x10, 0x2F, 0x31]))),)  # two values that no baseline encoder writes


def of_a_file() -> np.ndarray:
    file: ImageFile = read_jpeg(
        encoded(Image.open(io.BytesIO(encoded(picture(90, 70)))), optimize=True), lambda header: None
    )
    found = tables(file)
    assert found is not None
    return found.codes


@pytest.fixture(scope="module", params=["of a file", "short", "wrong"])
def codes(request) -> np.ndarray:
    return {"of a file": of_a_file, "short": lambda: looked_up(SHORT), "wrong": lambda: looked_up(WRONG)}[
        request.param
    ]()


def first_code(codes: np.ndarray, bits: str) -> tuple[int, int, int] | None:
    """The bits that the first code takes with its number, its value, and the number; None where `bits` do not hold them."""
    code = int(codes[int(bits.ljust(16, "0"), 2)])
    length, value = code >> 8, code & 255
    end = length + (value & 15)
    if code == 0 or end > len(bits):
        return None
    number = bits[length:end]
    if not number:
        return end, value, 0
    return end, value, int(number, 2) if number[0] == "1" else int(number, 2) - (1 << len(number)) + 1


@pytest.mark.parametrize("table", [0, 1, 4, 5])
def test_one_code(codes, table):
    found = single(codes[table], table < 4)
    for place in range(1 << SINGLE_BITS):
        expected = 0
        one = first_code(codes[table], f"{place:0{SINGLE_BITS}b}")
        if one is not None:
            end, value, number = one
            steps = 0 if table < 4 else CODE_ENDS if value == 0 else (value >> 4) + 1
            if value <= 11 if table < 4 else value & 15 or value in (0, 0xF0):
                expected = number << 16 | steps << 8 | end
        assert found[place] == expected, place


@pytest.mark.parametrize("table", [4, 5])
def test_several_codes(codes, table):
    found = several(codes[table])
    for place in range(1 << SEVERAL_BITS):
        bits, used, steps = f"{place:0{SEVERAL_BITS}b}", 0, 0
        while steps < BLOCK_ENDS:
            one = first_code(codes[table], bits[used:]) if used < SEVERAL_BITS else None
            if one is None or (one[1] & 15 == 0 and one[1] not in (0, 0xF0)):
                break
            used += one[0]
            steps += BLOCK_ENDS if one[1] == 0 else (one[1] >> 4) + 1
        assert (found[place] & 63, found[place] >> 6) == (used, steps), place
