"""Kernels that look at a picture's three bands: colour statistics and resizing."""

from __future__ import annotations

import math

import numpy as np

from driftwatch.images.kernels.compiled import ROWS, compiled

i32, f32, u8, u16, at = np.int32, np.float32, np.uint8, np.uint16, np.uintp
_EPSILON, _UNIT = f32(np.finfo(np.float32).eps), f32(1 / 255)


@compiled("void(float32[::1], float32[::1], float32[::1], int64[::1])")
def add_hsv(reds: np.ndarray, greens: np.ndarray, blues: np.ndarray, sums: np.ndarray) -> None:
    """Adds a line's hue, saturation and brightness and their squares to `sums` [6], in Pillow's whole numbers from 0 to 255.

    Pillow truncates; the margins keep a value that rounding put just below a whole number from losing one.
    """
    hues, hue_squares, saturations, saturation_squares = i32(0), i32(0), i32(0), i32(0)
    brightnesses, brightness_squares = i32(0), i32(0)
    for x in range(len(reds)):
        red, green, blue = reds[x] * _UNIT, greens[x] * _UNIT, blues[x] * _UNIT
        larger, smaller = (green, blue) if green > blue else (blue, green)
        largest, smallest = red if red > larger else larger, red if red < smaller else smaller
        span = largest - smallest
        degrees = f32(60) / (span + _EPSILON)
        other = (blue - red) * degrees + f32(120) if green == largest else (red - green) * degrees + f32(240)
        turned = (green - blue) * degrees if red == largest else other
        angle = turned + f32(360) if turned < f32(0) else turned
        hue = i32(angle * f32(255 / 360) + f32(2e-4))
        saturation = i32(span / (largest + _EPSILON) * f32(255) + f32(5e-3))
        brightness = i32(largest * f32(255) + f32(1e-3))
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


@compiled("UniTuple(float64, 7)(Array(uint8, 3, 'A', True))")
def colour(rgb: np.ndarray) -> tuple[float, ...]:
    """Entropy, then mean and standard deviation of hue, saturation and brightness, of an RGB picture [h, w, 3] of at most
    10,000 pixels a line."""
    height, width = rgb.shape[:2]
    counts = np.zeros((3, 256), np.int32)
    count_red, count_green, count_blue = counts[0], counts[1], counts[2]
    line = np.empty((3, width), np.float32)
    reds, greens, blues = line[0], line[1], line[2]
    sums = np.zeros(6, np.int64)
    for y in range(height):
        for x in range(width):
            red, green, blue = rgb[y, x, 0], rgb[y, x, 1], rgb[y, x, 2]
            count_red[red] += 1
            count_green[green] += 1
            count_blue[blue] += 1
            reds[x], greens[x], blues[x] = red, green, blue
        add_hsv(reds, greens, blues, sums)
    pixels = height * width
    entropy = 0.0
    for count in counts.ravel():
        if count:
            share = count / (3 * pixels)
            entropy -= share * math.log2(share)
    means, squares = sums[::2] / pixels, sums[1::2] / pixels
    spreads = np.sqrt(np.maximum(0.0, squares - means * means))
    return entropy, means[0], spreads[0], means[1], spreads[1], means[2], spreads[2]


@compiled(f"void({ROWS}, uint8[:, ::1])")
def halve(rows: np.ndarray, out: np.ndarray) -> None:
    """Fills `out` [h, 3 * w] with the averages of 2 x 2 pixels of an RGB picture, rows [2 * h or one more, 3 * width], as
    OpenCV's INTER_AREA gives them."""
    height, width = out.shape
    pairs = np.empty(2 * width, np.uint16)
    for y in range(height):
        upper, lower, line = rows[2 * y], rows[2 * y + 1], out[y]
        for x in range(2 * width):
            pairs[x] = u16(upper[x]) + u16(lower[x])
        for x in range(width // 3):
            line[3 * x] = u8(u16(pairs[6 * x] + pairs[6 * x + 3] + 2) >> 2)
            line[3 * x + 1] = u8(u16(pairs[6 * x + 1] + pairs[6 * x + 4] + 2) >> 2)
            line[3 * x + 2] = u8(u16(pairs[6 * x + 2] + pairs[6 * x + 5] + 2) >> 2)


_WEIGHTS = "Tuple((int32[::1], int32[::1], float32[::1]))"


@compiled(f"void({ROWS}, {_WEIGHTS}, {_WEIGHTS}, boolean, uint8[:, ::1])")
def weigh(
    rows: np.ndarray, down: tuple[np.ndarray, ...], across: tuple[np.ndarray, ...], whole: bool, out: np.ndarray
) -> None:
    """Fills `out` [h, 3 * w] with weighted averages of an RGB picture, rows [height, 3 * width].

    `down`, `across`: a sparse matrix's (indptr, indices, data), how much each pixel counts in each average; in each average at least
    one does. What lies beyond 0..255 is cut off; `whole`: between the two steps too, where it is also rounded. Four lines go at once:
    that shares the price of walking through `across`.
    """
    height, width, columns = out.shape[0], rows.shape[1], out.shape[1] // 3
    starts, pixels, weights = across
    lines, averages = np.zeros((4, width), np.float32), np.empty((4, 3 * columns), np.float32)
    line_0, line_1, line_2, line_3 = lines[0], lines[1], lines[2], lines[3]
    average_0, average_1, average_2, average_3 = averages[0], averages[1], averages[2], averages[3]
    for top in range(0, height, 4):
        for y in range(top, min(top + 4, height)):
            line, place = lines[y - top], down[0][y]
            weight, source = down[2][place], rows[at(down[1][place])]
            for x in range(width):
                line[x] = weight * f32(source[x])
            for place in range(down[0][y] + 1, down[0][y + 1]):
                weight, source = down[2][place], rows[at(down[1][place])]
                for x in range(width):
                    line[x] += weight * f32(source[x])
            if whole:
                for x in range(width):
                    line[x] = np.floor(min(max(line[x], f32(0)), f32(255)) + f32(0.5))
        for x in range(columns):
            red_0, green_0, blue_0 = f32(0), f32(0), f32(0)
            red_1, green_1, blue_1 = f32(0), f32(0), f32(0)
            red_2, green_2, blue_2 = f32(0), f32(0), f32(0)
            red_3, green_3, blue_3 = f32(0), f32(0), f32(0)
            for place in range(starts[x], starts[x + 1]):
                weight, red = weights[place], at(3) * at(pixels[place])
                green, blue = red + at(1), red + at(2)
                red_0 += weight * line_0[red]
                green_0 += weight * line_0[green]
                blue_0 += weight * line_0[blue]
                red_1 += weight * line_1[red]
                green_1 += weight * line_1[green]
                blue_1 += weight * line_1[blue]
                red_2 += weight * line_2[red]
                green_2 += weight * line_2[green]
                blue_2 += weight * line_2[blue]
                red_3 += weight * line_3[red]
                green_3 += weight * line_3[green]
                blue_3 += weight * line_3[blue]
            red = at(3) * at(x)
            green, blue = red + at(1), red + at(2)
            average_0[red], average_0[green], average_0[blue] = red_0, green_0, blue_0
            average_1[red], average_1[green], average_1[blue] = red_1, green_1, blue_1
            average_2[red], average_2[green], average_2[blue] = red_2, green_2, blue_2
            average_3[red], average_3[green], average_3[blue] = red_3, green_3, blue_3
        for y in range(top, min(top + 4, height)):
            line, average = out[y], averages[y - top]
            for x in range(3 * columns):
                line[x] = u8(i32(np.rint(min(max(average[x], f32(0)), f32(255)))))
