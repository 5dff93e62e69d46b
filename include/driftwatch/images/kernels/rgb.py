"""Kernels that look at a picture's three bands: colour statistics and resizing."""

from __future__ import annotations

import math

import numpy as np

from driftwatch.images.kernels.compiled import ROWS, compiled, inlined

i32, f32, u8, u16, u32, u64, at = np.int32, np.float32, np.uint8, np.uint16, np.uint32, np.uint64, np.uintp
_EPSILON, _UNIT = f32(np.finfo(np.float32).eps), f32(1 / 255)
_COUNTS = 512
_LINES = 8  # of samples at once: few enough for the processor's nearest memory


@compiled("void(uint32[::1], int64[::1])")
def add_hsv(samples: np.ndarray, sums: np.ndarray) -> None:
    """Adds hue, saturation and brightness of samples (red, green and blue from the lowest byte on) and their squares to `sums` [6],
    in Pillow's whole numbers from 0 to 255. Of black ones nothing is added. At most 33,000 samples.

    Pillow truncates; the margins keep a value that rounding put just below a whole number from losing one.
    """
    hues, hue_squares, saturations, saturation_squares = i32(0), i32(0), i32(0), i32(0)
    brightnesses, brightness_squares = i32(0), i32(0)
    for x in range(len(samples)):
        sample = samples[x]
        whole_red, whole_green = i32(sample & u32(255)), i32((sample >> u32(8)) & u32(255))
        whole_blue = i32(sample >> u32(16))
        brightness = max(whole_red, max(whole_green, whole_blue))
        red, green, blue = f32(whole_red) * _UNIT, f32(whole_green) * _UNIT, f32(whole_blue) * _UNIT
        largest = f32(brightness) * _UNIT
        smaller = green if green < blue else blue
        span = largest - (red if red < smaller else smaller)
        degrees = f32(60) / (span + _EPSILON)
        other = (blue - red) * degrees + f32(120) if green == largest else (red - green) * degrees + f32(240)
        turned = (green - blue) * degrees if red == largest else other
        angle = turned + f32(360) if turned < f32(0) else turned
        hue = i32(angle * f32(255 / 360) + f32(2e-4))
        saturation = i32(span / (largest + _EPSILON) * f32(255) + f32(5e-3))
        hues = i32(hues + hue)
        hue_squares = i32(hue_squares + i32(hue * hue))
        saturations = i32(saturations + saturation)
        saturation_squares = i32(saturation_squares + i32(saturation * saturation))
        brightnesses = i32(brightnesses + brightness)
        brightness_squares = i32(brightness_squares + i32(brightness * brightness))
    for place, value in enumerate(
        (hues, hue_squares, saturations, saturation_squares, brightnesses, brightness_squares)
    ):
        sums[place] += value


@inlined
def _count(rows: np.ndarray, y: np.uintp, place: np.uintp, counts: np.ndarray) -> np.uint64:
    """Counts the three values of a pixel, and puts them into one number."""
    red, green, blue = rows[y, place], rows[y, place + at(1)], rows[y, place + at(2)]
    counts[at(0), at(red)] += i32(1)
    counts[at(1), at(green)] += i32(1)
    counts[at(2), at(blue)] += i32(1)
    return u64(u32(u32(red) | u32(u32(green) << u32(8))) | u32(u32(blue) << u32(16)))


@inlined
def _bits(count: int, pixels: int) -> float:
    """What a value of one band that so many of the pixels have adds to the entropy of all three; below 0."""
    share = count / (3 * pixels)
    return share * math.log2(share)


@compiled("float64[::1](int64)")
def bits_of_counts(pixels: int) -> np.ndarray:
    """`_bits` of the counts up to 511, which most values have: a logarithm takes twenty times as long as looking it up."""
    found = np.zeros(_COUNTS)
    for count in range(1, _COUNTS):
        found[count] = _bits(count, pixels)
    return found


@compiled(f"UniTuple(float64, 7)({ROWS}, int64, float64[::1])")
def colour(rows: np.ndarray, step: int, bits: np.ndarray) -> tuple[float, ...]:
    """Entropy, then mean and standard deviation of hue, saturation and brightness, of every `step`-th pixel of every `step`-th row of
    an RGB picture, rows [height, 3 * width]. A row has at most 4,000 such pixels. `bits`: `bits_of_counts` of their number.

    Storing takes the time. So two samples are stored at once, and every other one is counted in a table of its own. While some lines are
    counted the next ones are fetched: one byte of each 64 is touched, as memory gives so many at once.
    """
    height, width = max(1, len(rows) // step), max(1, rows.shape[1] // 3 // step)
    even, odd = np.zeros((3, 256), np.int32), np.zeros((3, 256), np.int32)
    apart, pairs = at(3 * step), (width + 1) // 2
    samples, touched = np.empty(_LINES * pairs + 1, np.uint64), u8(0)
    sums = np.zeros(6, np.int64)
    for top in range(0, height, _LINES):
        end = at(0)
        for line in range(top + _LINES, min(top + 2 * _LINES, height)):
            for piece in range(0, rows.shape[1], 64):
                touched ^= rows[at(line * step), at(piece)]
        for line in range(top, min(top + _LINES, height)):
            y = at(line * step)
            for x in range(0, width - 1, 2):
                place = at(x) * apart
                first, second = _count(rows, y, place, even), _count(rows, y, place + apart, odd)
                samples[end + at(x // 2)] = first | u64(second << u64(32))
            if width % 2:
                samples[end + at(width // 2)] = _count(rows, y, at(width - 1) * apart, even)
            end += at(pairs)
        samples[end] = touched  # or the compiler would see that nobody asks for it
        add_hsv(samples[:end].view(np.uint32), sums)
    pixels = height * width
    entropy = 0.0
    for band in range(3):
        for value in range(256):
            count = even[band, value] + odd[band, value]
            if count:
                entropy -= bits[count] if count < _COUNTS else _bits(count, pixels)
    means, squares = sums[::2] / pixels, sums[1::2] / pixels
    spreads = np.sqrt(np.maximum(0.0, squares - means * means))
    return entropy, means[0], spreads[0], means[1], spreads[1], means[2], spreads[2]


@inlined
def _mean(a: np.uint8, b: np.uint8) -> np.uint8:
    """Rounded up: one instruction for many pairs of bytes."""
    return u8(u16(u16(u16(a) + u16(b)) + u16(1)) >> u16(1))


@inlined
def _mean_of_four(a: np.uint8, b: np.uint8, c: np.uint8, d: np.uint8) -> np.uint8:
    """(a + b + c + d + 2) >> 2 in bytes alone: the mean of two means, less one where both it and one of the two were rounded up."""
    first, second = _mean(a, b), _mean(c, d)
    return u8(_mean(first, second) - u8(u8(u8(a ^ b) | u8(c ^ d)) & u8(first ^ second) & u8(1)))


@compiled(f"void({ROWS}, uint8[:, ::1])")
def halve(rows: np.ndarray, out: np.ndarray) -> None:
    """Fills `out` [h, 3 * w] with the averages of 2 x 2 pixels of an RGB picture, rows [2 * h or one more, 3 * width], as
    OpenCV's INTER_AREA gives them. All squares of a pair of rows are averaged, then every other one is taken."""
    height, width = out.shape
    squares, count = np.empty(2 * width, np.uint8), 2 * width - 3
    for line in range(height):
        y, upper, lower = at(line), at(2 * line), at(2 * line + 1)
        for begin, end in ((0, count - count % 32), (max(0, count - 32), count)):  # no rest that goes one by one
            for place in range(begin, end):
                x, right = at(place), at(place) + at(3)
                squares[x] = _mean_of_four(rows[upper, x], rows[lower, x], rows[upper, right], rows[lower, right])
        for column in range(width // 3):
            x, left = at(3 * column), at(6 * column)
            out[y, x], out[y, x + at(1)] = squares[left], squares[left + at(1)]
            out[y, x + at(2)] = squares[left + at(2)]


@inlined
def _times(weight: np.float32, line: np.ndarray, place: np.uintp) -> tuple[np.float32, ...]:
    """Four numbers of `line` from `place` on, times `weight`: a pixel's three, and one more since four go through one register."""
    return (
        weight * line[place],
        weight * line[place + at(1)],
        weight * line[place + at(2)],
        weight * line[place + at(3)],
    )


@inlined
def _plus(sums: tuple[np.float32, ...], more: tuple[np.float32, ...]) -> tuple[np.float32, ...]:
    return sums[0] + more[0], sums[1] + more[1], sums[2] + more[2], sums[3] + more[3]


@inlined
def _put(line: np.ndarray, place: np.uintp, sums: tuple[np.float32, ...]) -> None:
    line[place], line[place + at(1)], line[place + at(2)], line[place + at(3)] = sums


@inlined
def _weigh_across(lines: np.ndarray, pixels: np.ndarray, weights: np.ndarray, most: int, averages: np.ndarray) -> None:
    """Four lines at once: that shares the price of looking up pixels and weights. The fourth number of each sum is overwritten by
    the next pixel."""
    line_0, line_1, line_2, line_3 = lines[0], lines[1], lines[2], lines[3]
    average_0, average_1, average_2, average_3 = averages[0], averages[1], averages[2], averages[3]
    for number in range(len(pixels)):
        x = at(number)
        weight, place = weights[x, at(0)], at(3) * at(pixels[x, at(0)])
        sums_0, sums_1 = _times(weight, line_0, place), _times(weight, line_1, place)
        sums_2, sums_3 = _times(weight, line_2, place), _times(weight, line_3, place)
        for one in range(1, most):
            weight, place = weights[x, at(one)], at(3) * at(pixels[x, at(one)])
            sums_0 = _plus(sums_0, _times(weight, line_0, place))
            sums_1 = _plus(sums_1, _times(weight, line_1, place))
            sums_2 = _plus(sums_2, _times(weight, line_2, place))
            sums_3 = _plus(sums_3, _times(weight, line_3, place))
        _put(average_0, at(3) * x, sums_0)
        _put(average_1, at(3) * x, sums_1)
        _put(average_2, at(3) * x, sums_2)
        _put(average_3, at(3) * x, sums_3)


_WEIGHTS = "Tuple((int32[:, ::1], float32[:, ::1]))"


@compiled(f"void({ROWS}, {_WEIGHTS}, {_WEIGHTS}, boolean, uint8[:, ::1])", registers=True)
def weigh(
    rows: np.ndarray, down: tuple[np.ndarray, ...], across: tuple[np.ndarray, ...], whole: bool, out: np.ndarray
) -> None:
    """Fills `out` [h, 3 * w] with weighted averages of an RGB picture, rows [height, 3 * width].

    `down`, `across`: which pixels count in each average and how much, as `driftwatch.images.weights` has them. What lies beyond 0..255
    is cut off; `whole`: between the two steps too, where it is also rounded.
    """
    height, width, columns = out.shape[0], rows.shape[1], out.shape[1] // 3
    sources, shares = down
    pixels, weights = across
    reach, most = shares.shape[1], weights.shape[1]
    lines, averages = np.zeros((4, width + 1), np.float32), np.empty((4, 3 * columns + 1), np.float32)
    for top in range(0, height, 4):
        for line in range(min(4, height - top)):
            y, row = at(top + line), at(line)
            share, source = shares[y, at(0)], at(sources[y, at(0)])
            if reach == 1:
                for x in range(width):
                    lines[row, at(x)] = share * f32(rows[source, at(x)])
            else:
                second, below = shares[y, at(1)], at(sources[y, at(1)])
                for x in range(width):
                    lines[row, at(x)] = share * f32(rows[source, at(x)]) + second * f32(rows[below, at(x)])
            for one in range(2, reach, 2):
                share, source = shares[y, at(one)], at(sources[y, at(one)])
                if one + 1 < reach and shares[y, at(one + 1)]:
                    second, below = shares[y, at(one + 1)], at(sources[y, at(one + 1)])
                    for x in range(width):
                        sum_so_far = lines[row, at(x)] + share * f32(rows[source, at(x)])
                        lines[row, at(x)] = sum_so_far + second * f32(rows[below, at(x)])
                elif share:
                    for x in range(width):
                        lines[row, at(x)] += share * f32(rows[source, at(x)])
            if whole:
                for x in range(width):
                    lines[row, at(x)] = np.floor(min(max(lines[row, at(x)], f32(0)), f32(255)) + f32(0.5))
        if most == 2:  # a number that the compiler knows makes a loop that is none
            _weigh_across(lines, pixels, weights, 2, averages)
        elif most == 3:
            _weigh_across(lines, pixels, weights, 3, averages)
        elif most == 4:
            _weigh_across(lines, pixels, weights, 4, averages)
        else:
            _weigh_across(lines, pixels, weights, most, averages)
        for line in range(min(4, height - top)):
            y, row = at(top + line), at(line)
            for x in range(3 * columns):
                out[y, at(x)] = u8(i32(np.rint(min(max(averages[row, at(x)], f32(0)), f32(255)))))
