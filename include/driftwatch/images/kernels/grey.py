"""Kernels that look at a picture's grey: sharpness and the perceptual hash."""

from __future__ import annotations

import math

import numpy as np

from driftwatch.images.kernels.compiled import ROWS, compiled, inlined

i16, i32, u8, u16, u32, at = np.int16, np.int32, np.uint8, np.uint16, np.uint32, np.uintp
# What these give has its arguments' type, where Numba's + - * >> give 64 bits.
add, subtract, times, shift = np.add, np.subtract, np.multiply, np.right_shift
BLOCK = 8  # a JPEG block's side in pixels
# Keeps logarithms finite on flat pictures; far below the rounding of 8-bit pixels (variance 1/12).
FLOOR = 0.01
HASH_SIDE, HASH_KEPT = 32, 8
# SUMMED pixels: 32 bits hold the sum of their squares of [1 -2 1] along both axes, each at most 2040. BAND rows: they stay in the nearest cache.
SUMMED, BAND = 1024, 32
# So many pixels stand in memory before a framed picture (see `frame`): its rows begin where vectors do, if their length is a multiple.
BEFORE = 64
# The cosine transform's lowest frequencies [8, 32] in whole numbers, so that a flat picture has none but the mean. 32 bits hold
# the sum of a line.
_WAVES = np.rint(
    2**18
    * np.sqrt(np.where(np.arange(HASH_KEPT) == 0, 1, 2) / HASH_SIDE)[:, None]
    * np.cos(np.outer(np.arange(HASH_KEPT), 2 * np.arange(HASH_SIDE) + 1) * np.pi / (2 * HASH_SIDE))
).astype(np.int32)


@inlined
def frame(framed: np.ndarray, height: int, width: int) -> np.ndarray:
    """The rows [height + 2, width] of a framed picture [BEFORE + (height + 2) * width + 1]. It has one row more above and below, and pixels before
    and after in memory. So each pixel has neighbours, and loops go over several rows at once."""
    return framed[BEFORE:-1].reshape(height + 2, width)


@compiled(f"void({ROWS}, int64, int64, uint8[:, ::1])")
def grey_window(rows: np.ndarray, top: int, left: int, grey: np.ndarray) -> None:
    """Fills `grey` [h, w] with the grey of the window at `top`, `left` of an RGB picture, rows [height, 3 * width], rounded as
    OpenCV's RGB2GRAY: (9798 red + 19235 green + 3735 blue + 2**14) >> 15. Each factor is 128 high + low: that fits into 16 bits."""
    height, width = grey.shape
    for y in range(height):
        line, out = rows[top + y][3 * left : 3 * (left + width)], grey[y]
        for x in range(width):
            red, green, blue = u16(line[3 * x]), u16(line[3 * x + 1]), u16(line[3 * x + 2])
            high = add(add(times(red, u16(76)), times(green, u16(150))), times(blue, u16(29)))
            low = add(add(times(red, u16(70)), times(green, u16(35))), times(blue, u16(23)))
            out[x] = u8(shift(add(add(high, u16(128)), shift(low, u16(7))), u16(8)))


@compiled("void(uint8[::1], int64, int64, int16[:, ::1])")
def bend(framed: np.ndarray, width: int, first: int, bends: np.ndarray) -> None:
    """Fills `bends` [rows, width] with [1 -2 1] along the rows of a framed picture, from its row `first` on."""
    start, flat = BEFORE + first * width, bends.ravel()
    left, middle, right = framed[start - 1 :], framed[start:], framed[start + 1 :]
    for x in range(len(flat)):
        flat[x] = subtract(add(i16(left[x]), i16(right[x])), add(i16(middle[x]), i16(middle[x])))
    for y in range(len(bends)):
        line = middle[y * width :]
        bends[y, 0] = 2 * (int(line[1]) - int(line[0]))
        bends[y, width - 1] = 2 * (int(line[width - 2]) - int(line[width - 1]))


@compiled("UniTuple(int64, 5)(uint8[::1], int64, int64, int16[:, ::1])")
def differences(framed: np.ndarray, width: int, first: int, bends: np.ndarray) -> tuple[int, ...]:
    """Sums over the rows of a framed picture from row `first` on; `bends` has these rows and one more on both sides. The sums: squares of the
    Laplacian; sizes and squares of [1 -2 1] along both axes; squares of the differences to the pixel after each (after a row's last comes the
    next row's first), and to the pixel below."""
    place, flat, size = BEFORE + first * width, bends.ravel(), (len(bends) - 2) * width
    above, line, right, below = framed[place - width :], framed[place:], framed[place + 1 :], framed[place + width :]
    bend_above, bend_here, bend_below = flat, flat[width:], flat[2 * width :]
    laplacians, sizes, squares, across, down = 0, 0, 0, 0, 0
    for start in range(0, size, SUMMED):
        # Of these pixels; 32 bits without a sign hold each.
        laplaced, sized, squared, stepped, fallen = i32(0), i32(0), i32(0), i32(0), i32(0)
        for x in range(at(start), at(min(start + SUMMED, size))):
            pixel = i16(line[x])
            step, fall = subtract(i16(right[x]), pixel), subtract(i16(below[x]), pixel)
            laplacian = add(subtract(fall, subtract(pixel, i16(above[x]))), bend_here[x])
            detail = subtract(subtract(bend_below[x], bend_here[x]), subtract(bend_here[x], bend_above[x]))
            laplaced = add(laplaced, times(i32(laplacian), i32(laplacian)))
            sized = add(sized, i32(abs(detail)))
            squared = add(squared, times(i32(detail), i32(detail)))
            stepped = add(stepped, times(i32(step), i32(step)))
            fallen = add(fallen, times(i32(fall), i32(fall)))
        laplacians += int(u32(laplaced))
        sizes += int(sized)
        squares += int(u32(squared))
        across += int(stepped)
        down += int(fallen)
    return laplacians, sizes, squares, across, down


@compiled("int64(uint8[::1], int64, int64)")
def between_rows(flat: np.ndarray, width: int, rows: int) -> int:
    """The sum of squares of the differences from the last pixel of each of the first rows to the first of the next."""
    squares = 0
    for y in range(1, rows + 1):
        step = int(flat[y * width]) - int(flat[y * width - 1])
        squares += step * step
    return squares


@compiled("void(uint8[::1], int64[::1], int64[::1])")
def line_differences(framed: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> None:
    """Fills `columns` [w - 1] and `rows` [h - 1] with the sums of sizes of the differences between a framed picture's neighbouring
    columns and rows."""
    height, width = len(rows) + 1, at(len(columns) + 1)
    sizes = np.zeros(width, np.uint16)  # of the last, to the next row's first, nothing is made
    for y in range(height):
        place = at(BEFORE) + at(1 + y) * width
        for x in range(width):
            step = subtract(i16(framed[place + x + at(1)]), i16(framed[place + x]))
            sizes[x] = add(sizes[x], u16(abs(step)))
        total = i32(0)
        for x in range(width):
            total = add(total, abs(subtract(i32(framed[place + width + x]), i32(framed[place + x]))))
        if y < height - 1:
            rows[y] = total
    for x in range(len(columns)):
        columns[x] = sizes[x]


@compiled("int64(uint8[:, ::1])")
def coarse_differences(grey: np.ndarray) -> int:
    """The sum of squares of all differences of neighbours in the picture of half the size, of at most 128 x 128 pixels."""
    height, width = grey.shape[0] // 2, grey.shape[1] // 2
    coarse = np.empty((height + 1) * width, np.uint8)
    for y in range(height):
        upper, lower, line = grey[2 * y], grey[2 * y + 1], coarse[y * width :]
        for x in range(width):
            of_upper = add(u16(upper[2 * x]), u16(upper[2 * x + 1]))
            of_lower = add(u16(lower[2 * x]), u16(lower[2 * x + 1]))
            line[x] = u8(shift(add(add(of_upper, of_lower), u16(2)), u16(2)))
    size = height * width
    for place in range(size, size + width):
        coarse[place] = coarse[place - width]
    right, below = coarse[1:], coarse[width:]
    across, down = i32(0), i32(0)
    for place in range(size):
        pixel = i16(coarse[place])
        step, fall = subtract(i16(right[place]), pixel), subtract(i16(below[place]), pixel)
        across = add(across, times(i32(step), i32(step)))
        down = add(down, times(i32(fall), i32(fall)))
    return int(across) - between_rows(coarse, width, height) + int(down)


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


@compiled("UniTuple(float64, 9)(uint8[::1], int64, int64)")
def neighbours(framed: np.ndarray, height: int, width: int) -> tuple[float, ...]:
    """What the sharpness features are made of, for a grey picture of 16 to 256 pixels a side, framed: see `frame`. The rows above and
    below it are filled here; edges are mirrored without repeating the outermost pixel, as OpenCV does.

    Sums of squares of the Laplacian; of sizes and of squares of [1 -2 1] along both axes; of squares of the differences of neighbours
    across, and of those down; what `coarse_differences` gives; and the three values of `grid`, the mean of columns and rows.
    """
    grey = frame(framed, height, width)
    for x in range(width):
        grey[0, x], grey[height + 1, x] = grey[2, x], grey[height - 1, x]
    bends = np.empty((min(BAND, height) + 2, width), np.int16)
    laplacians, sizes, squares, across, down = 0, 0, 0, 0, 0
    for first in range(1, height + 1, BAND):
        band = bends[: min(BAND, height + 1 - first) + 2]
        bend(framed, width, first - 1, band)
        of_band = differences(framed, width, first, band)
        laplacians, sizes, squares = laplacians + of_band[0], sizes + of_band[1], squares + of_band[2]
        across, down = across + of_band[3], down + of_band[4]
    across -= between_rows(framed[BEFORE + width :], width, height)
    for x in range(width):
        fall = int(grey[height + 1, x]) - int(grey[height, x])
        down -= fall * fall
    columns, rows = np.empty(width - 1, np.int64), np.empty(height - 1, np.int64)
    line_differences(framed, columns, rows)
    coarse = coarse_differences(grey[1:-1])
    mean, uneven, strongest = grid(columns, height)
    mean_down, uneven_down, strongest_down = grid(rows, width)
    mean, uneven, strongest = (mean + mean_down) / 2, (uneven + uneven_down) / 2, (strongest + strongest_down) / 2
    return laplacians, sizes, squares, across, down, coarse, mean, uneven, strongest


@inlined
def sharpness(found: tuple[float, ...], height: int, width: int) -> tuple[float, ...]:
    """The features from image.Sharpness.laplacian on, in the order of `features.FEATURES`, of what `neighbours` gives."""
    laplacians, details, detail_squares, across, down, coarse, mean, uneven, strongest = found
    pixels = height * width
    noise = details / pixels
    fine_energy = across / (height * (width - 1)) + down / ((height - 1) * width)
    coarse_energy = coarse / ((height // 2) * (width // 2))
    return (
        math.log(laplacians / pixels + FLOOR),
        math.log(mean + FLOOR),
        math.log((fine_energy + FLOOR) / (coarse_energy + FLOOR)),
        math.log((detail_squares / pixels + FLOOR) / (noise * noise + FLOOR)),
        math.log((uneven + FLOOR) / (mean + FLOOR)),
        math.log(strongest),
        math.log(noise * math.sqrt(math.pi / 2) / 6 + FLOOR),
    )


@compiled(f"UniTuple(float64, 7)({ROWS}, int64, int64, int64, int64)")
def window_sharpness(rows: np.ndarray, top: int, left: int, height: int, width: int) -> tuple[float, ...]:
    """`sharpness` of the grey of a window of an RGB picture; see `grey_window` and `neighbours`."""
    framed = np.empty(BEFORE + (height + 2) * width + 1, np.uint8)
    grey_window(rows, top, left, frame(framed, height, width)[1:-1])
    return sharpness(neighbours(framed, height, width), height, width)


@compiled("uint64(uint8[:, :, ::1])")
def signs_of_frequencies(square: np.ndarray) -> np.uint64:
    """64 bits from a square RGB picture [32, 32, 3]: which of the 8 x 8 lowest frequencies of its grey's cosine transform are
    above their median, row by row from the highest bit."""
    side, kept = HASH_SIDE, HASH_KEPT
    grey, partial = np.empty((side, side), np.uint8), np.empty((kept, side), np.int32)
    grey_window(square.reshape(side, 3 * side), 0, 0, grey)
    for frequency in range(kept):
        for x in range(side):
            total = i32(0)
            for y in range(side):
                total = add(total, times(_WAVES[frequency, y], i32(grey[y, x])))
            partial[frequency, x] = total
    frequencies = np.empty(kept * kept, np.int64)
    for place in range(kept * kept):
        down, across = divmod(place, kept)
        wide = 0
        for x in range(side):
            wide += int(partial[down, x]) * int(_WAVES[across, x])
        frequencies[place] = wide
    ordered = np.sort(frequencies)
    middle = ordered[kept * kept // 2 - 1] + ordered[kept * kept // 2]
    bits = np.uint64(0)
    for value in frequencies:
        bits = np.uint64(bits << np.uint64(1)) | np.uint64(2 * value > middle)
    return bits
