"""Kernels that look at a picture's grey: sharpness and the perceptual hash."""

from __future__ import annotations

import numpy as np

from driftwatch.images.kernels.compiled import ROWS, compiled

i16, i32, u8, u16 = np.int16, np.int32, np.uint8, np.uint16
BLOCK = 8  # a JPEG block's side in pixels
# Keeps logarithms finite on flat pictures; far below the rounding of 8-bit pixels (variance 1/12).
FLOOR = 0.01
HASH_SIDE, HASH_KEPT = 32, 8
# The cosine transform's lowest frequencies [8, 32] in whole numbers, so that a flat picture has none but the mean. 32 bits hold
# the sum of a line.
_WAVES = np.rint(
    2**18
    * np.sqrt(np.where(np.arange(HASH_KEPT) == 0, 1, 2) / HASH_SIDE)[:, None]
    * np.cos(np.outer(np.arange(HASH_KEPT), 2 * np.arange(HASH_SIDE) + 1) * np.pi / (2 * HASH_SIDE))
).astype(np.int32)


@compiled(f"void({ROWS}, int64, int64, uint8[:, ::1])")
def grey_window(rows: np.ndarray, top: int, left: int, grey: np.ndarray) -> None:
    """Fills `grey` [h, w] with the grey of the window at `top`, `left` of an RGB picture, rows [height, 3 * width], rounded as
    OpenCV's RGB2GRAY."""
    height, width = grey.shape
    for y in range(height):
        line, out = rows[top + y][3 * left : 3 * (left + width)], grey[y]
        for x in range(width):
            red, green, blue = i32(line[3 * x]), i32(line[3 * x + 1]), i32(line[3 * x + 2])
            out[x] = u8(i32(i32(i32(red * 9798) + i32(green * 19235)) + i32(i32(blue * 3735) + 16384)) >> 15)


@compiled("UniTuple(int64, 3)(uint8[:, ::1])")
def second_differences(grey: np.ndarray) -> tuple[int, int, int]:
    """Sums over all pixels: squares of the Laplacian; sizes and squares of [1 -2 1] along both axes. Edges are mirrored
    without repeating the outermost pixel, as OpenCV does."""
    height, width = grey.shape
    here, down = np.empty(width + 2, np.int16), np.empty(width + 2, np.int16)
    left, middle, right = here[:-2], here[1:-1], here[2:]
    down_left, down_middle, down_right = down[:-2], down[1:-1], down[2:]
    laplacians, sizes, squares = 0, 0, 0
    for y in range(height):
        above, line, below = grey[abs(y - 1)], grey[y], grey[y + 1 if y + 1 < height else height - 2]
        for x in range(width):
            pixel = i16(line[x])
            middle[x] = pixel
            down_middle[x] = i16(i16(i16(above[x]) + i16(below[x])) - i16(pixel << 1))
        here[0], here[width + 1] = here[2], here[width - 1]
        down[0], down[width + 1] = down[2], down[width - 1]
        row_laplacians, row_sizes, row_squares = i32(0), i32(0), i32(0)
        for x in range(width):
            laplacian = i16(down_middle[x] + i16(i16(left[x] + right[x]) - i16(middle[x] << 1)))
            row_laplacians = i32(row_laplacians + i32(i32(laplacian) * i32(laplacian)))
            detail = i16(i16(down_left[x] + down_right[x]) - i16(down_middle[x] << 1))
            row_squares = i32(row_squares + i32(i32(detail) * i32(detail)))
            row_sizes = i32(row_sizes + i32(abs(detail)))
        laplacians += int(row_laplacians)
        sizes += int(row_sizes)
        squares += int(row_squares)
    return laplacians, sizes, squares


@compiled("UniTuple(int64, 2)(uint8[:, ::1], int64[::1], int64[::1])")
def first_differences(grey: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> tuple[int, int]:
    """The sums of squares of the differences of neighbours across, and of those down. Fills `columns` [w - 1] and `rows` [h - 1] with the
    sums of their sizes between neighbouring columns and rows."""
    height, width = grey.shape
    sizes = np.zeros(width - 1, np.uint16)
    across, down = 0, 0
    for y in range(height):
        line, right = grey[y][:-1], grey[y][1:]
        row_squares = i32(0)
        for x in range(width - 1):
            difference = i16(abs(i16(i16(right[x]) - i16(line[x]))))
            sizes[x] = u16(sizes[x] + u16(difference))
            row_squares = i32(row_squares + i32(i32(difference) * i32(difference)))
        across += int(row_squares)
    for x in range(width - 1):
        columns[x] = sizes[x]
    for y in range(height - 1):
        line, below = grey[y], grey[y + 1]
        row_sizes, row_squares = i32(0), i32(0)
        for x in range(width):
            difference = i16(abs(i16(i16(below[x]) - i16(line[x]))))
            row_sizes = i32(row_sizes + i32(difference))
            row_squares = i32(row_squares + i32(i32(difference) * i32(difference)))
        rows[y] = row_sizes
        down += int(row_squares)
    return across, down


@compiled("int64(uint8[:, ::1])")
def coarse_differences(grey: np.ndarray) -> int:
    """The sum of squares of all differences of neighbours in the picture of half the size."""
    height, width = grey.shape[0] // 2, grey.shape[1] // 2
    pairs = np.empty(2 * width, np.int16)
    line, above = np.empty(width + 1, np.int16), np.empty(width + 1, np.int16)
    coarse = np.empty((height, width + 1), np.int16)
    for y in range(height):
        upper, lower, line = grey[2 * y], grey[2 * y + 1], coarse[y]
        for x in range(2 * width):
            pairs[x] = i16(i16(upper[x]) + i16(lower[x]))
        for x in range(width):
            line[x] = i16(i16(i16(pairs[2 * x] + pairs[2 * x + 1]) + 2) >> 2)
        line[width] = line[width - 1]
    squares = 0
    for y in range(height):
        line, above = coarse[y], coarse[max(y - 1, 0)]
        right = line[1:]
        row_squares = i32(0)
        for x in range(width):
            difference = i16(right[x] - line[x])
            row_squares = i32(row_squares + i32(i32(difference) * i32(difference)))
        for x in range(width):
            difference = i16(above[x] - line[x])
            row_squares = i32(row_squares + i32(i32(difference) * i32(difference)))
        squares += int(row_squares)
    return squares


@compiled("UniTuple(float64, 3)(int64[::1], int64)")
def grid(sums: np.ndarray, pixels: int) -> tuple[float, float, float]:
    """Of the sizes of differences between neighbouring lines of `pixels` pixels, summed: their mean; how far neighbours of them
    lie apart in the mean; and how much larger they are at the likeliest phase of an 8-pixel grid than at the phases beside it."""
    total, uneven = 0, 0
    for place in range(len(sums)):
        total += sums[place]
        if place:
            uneven += abs(sums[place] - sums[place - 1])
    blocks = len(sums) // BLOCK
    phases = np.full(BLOCK, FLOOR)
    for phase in range(BLOCK):
        phases[phase] += sums[phase : blocks * BLOCK : BLOCK].sum() / (pixels * blocks)
    strongest = 0.0
    for phase in range(BLOCK):
        beside = phases[(phase + BLOCK - 1) % BLOCK] + phases[(phase + 1) % BLOCK]
        strongest = max(strongest, 2 * phases[phase] / beside)
    return total / (len(sums) * pixels), uneven / ((len(sums) - 1) * pixels), strongest


@compiled("UniTuple(float64, 9)(uint8[:, ::1])")
def neighbours(grey: np.ndarray) -> tuple[float, ...]:
    """What the sharpness features are made of, for a grey picture of 16 to 256 pixels a side: what `second_differences`,
    `first_differences` and `coarse_differences` give, and the three values of `grid`, the mean of columns and rows."""
    height, width = grey.shape
    columns, rows = np.empty(width - 1, np.int64), np.empty(height - 1, np.int64)
    laplacians, sizes, squares = second_differences(grey)
    across, down = first_differences(grey, columns, rows)
    coarse = coarse_differences(grey)
    mean, uneven, strongest = grid(columns, height)
    mean_down, uneven_down, strongest_down = grid(rows, width)
    mean, uneven, strongest = (mean + mean_down) / 2, (uneven + uneven_down) / 2, (strongest + strongest_down) / 2
    return laplacians, sizes, squares, across, down, coarse, mean, uneven, strongest


@compiled(f"UniTuple(float64, 9)({ROWS}, int64, int64, int64, int64)")
def window_neighbours(rows: np.ndarray, top: int, left: int, height: int, width: int) -> tuple[float, ...]:
    """`neighbours` of the grey of a window of an RGB picture; see `grey_window`."""
    grey = np.empty((height, width), np.uint8)
    grey_window(rows, top, left, grey)
    return neighbours(grey)


@compiled("uint64(uint8[:, :, ::1])")
def signs_of_frequencies(square: np.ndarray) -> np.uint64:
    """64 bits from a square RGB picture [32, 32, 3]: which of the 8 x 8 lowest frequencies of its grey's cosine transform are
    above their median, row by row from the highest bit."""
    side, kept = HASH_SIDE, HASH_KEPT
    grey, partial = np.empty((side, side), np.uint8), np.zeros((kept, side), np.int32)
    grey_window(square.reshape(side, 3 * side), 0, 0, grey)
    for frequency in range(kept):
        for y in range(side):
            wave = _WAVES[frequency, y]
            for x in range(side):
                partial[frequency, x] = i32(partial[frequency, x] + i32(wave * i32(grey[y, x])))
    found = np.zeros((kept, kept), np.int64)
    for down in range(kept):
        for across in range(kept):
            for x in range(side):
                found[down, across] += int(partial[down, x]) * int(_WAVES[across, x])
    frequencies = found.ravel()
    ordered = np.sort(frequencies)
    middle = ordered[kept * kept // 2 - 1] + ordered[kept * kept // 2]
    bits = np.uint64(0)
    for place in range(kept * kept):
        bits = np.uint64(bits << np.uint64(1)) | np.uint64(2 * frequencies[place] > middle)
    return bits
