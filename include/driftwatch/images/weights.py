"""How much each pixel of a line counts in each pixel of the resized line, for each way of resizing.

Each function takes a line's `side` in pixels, the length `resized` that it would get, and which of those pixels are made: `count` of
them from `first`. It gives which pixels of the line count in each of them, and how much (a sparse matrix in the ELLPACK format).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.sparse import csr_array

# Pixels, int32 [count, most], and their weights, float32. Where fewer than `most` count, the last one follows with a weight of 0.
Weights = tuple[np.ndarray, np.ndarray]


def area(side: int, resized: int, first: int, count: int) -> Weights:
    """Averages over equal stretches of the line, which gets shorter; as OpenCV's INTER_AREA."""
    scale = side / resized
    pixel = np.arange(side)
    stretch = np.minimum(pixel // scale, resized - 1).astype(int)
    inside = np.minimum(1, (stretch + 1) * scale - pixel)  # the rest of the pixel lies in the next stretch
    stretches, shares = (
        np.concatenate([stretch, np.minimum(stretch + 1, resized - 1)]),
        np.concatenate([inside, 1 - inside]),
    )
    kept = shares > 1e-3
    pixels = np.concatenate([pixel, pixel])
    found = csr_array(
        ((shares / scale)[kept].astype(np.float32), (stretches[kept], pixels[kept])), shape=(resized, side)
    )
    return _parts(found[first : first + count] if count < resized else found)


def area_enlarged(side: int, resized: int, first: int, count: int) -> Weights:
    """OpenCV's INTER_AREA where a side of the picture gets longer."""
    at, scale = first + np.arange(count), side / resized
    start = np.floor(at * scale)
    part = np.maximum((at + 1) - (start + 1) / scale, 0)
    part -= np.floor(part)
    return _taps(side, start.astype(int), np.stack([1 - part, part], axis=1))


def nearest(side: int, resized: int, first: int, count: int) -> np.ndarray:
    """The pixel in which the middle of each new pixel lies, int [count]. Where that is the edge of two pixels, Pillow's own rounding
    decides: it adds up the steps."""
    step = side / resized
    middles = np.cumsum(np.concatenate([[step / 2], np.full(first + count - 1, step)]))
    return np.minimum(middles[first:].astype(int), side - 1)


def bilinear(side: int, resized: int, first: int, count: int) -> Weights:
    """Between the two pixels around the middle of each new pixel; the outermost pixel goes on beyond the edge."""
    start, part = _around(side, resized, first, count)
    return _taps(side, start, np.stack([1 - part, part], axis=1))


def bicubic(side: int, resized: int, first: int, count: int) -> Weights:
    """OpenCV's and PyTorch's: a cubic of slope -0.75 through four pixels; the outermost pixel goes on beyond the edge."""
    start, part = _around(side, resized, first, count)
    return _taps(side, start - 1, cubic(part[:, None] + 1 - np.arange(4), -0.75))


def smooth(
    side: int,
    resized: int,
    first: int,
    count: int,
    *,
    reach: int,
    curve: Callable[[np.ndarray], np.ndarray],
    widen: bool,
) -> Weights:
    """Averages weighted by `curve`, which is zero beyond `reach`; nothing lies beyond the edge. `widen`: where the line gets shorter,
    the curve becomes as much wider, so that every pixel counts. Pillow's and TensorFlow's way."""
    scale = side / resized
    wide = max(scale, 1.0) if widen else 1.0
    middle = (first + np.arange(count) + 0.5) * scale
    start = np.maximum(np.floor(middle - reach * wide + 0.5), 0).astype(int)
    stop = np.minimum(np.floor(middle + reach * wide + 0.5), side).astype(int)
    pixels = start[:, None] + np.arange((stop - start).max())
    found = np.where(pixels < stop[:, None], curve((pixels + 0.5 - middle[:, None]) / wide), 0)
    return _taps(side, start, found / found.sum(axis=1, keepdims=True))


def triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - abs(x))


def cubic(x: np.ndarray, slope: float = -0.5) -> np.ndarray:
    """Keys' cubic through four points. `slope` is that at distance 1."""
    x = abs(x)
    near = ((slope + 2) * x - (slope + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * slope - 4 * slope
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _around(side: int, resized: int, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixel before the middle of each new pixel, and how far the middle lies from it."""
    middle = (first + np.arange(count) + 0.5) * (side / resized) - 0.5
    start = np.floor(middle)
    return start.astype(int), middle - start


def _taps(side: int, start: np.ndarray, found: np.ndarray) -> Weights:
    """`found` [count, taps]: the weights of the pixels from `start` on. Those beyond an edge count for the outermost pixel."""
    count, taps = found.shape
    pixels = np.clip(start[:, None] + np.arange(taps), 0, side - 1)
    rows = np.broadcast_to(np.arange(count)[:, None], found.shape)
    kept = found != 0
    return _parts(csr_array((found[kept].astype(np.float32), (rows[kept], pixels[kept])), shape=(count, side)))


def _parts(found: csr_array) -> Weights:
    counts = np.diff(found.indptr)[:, None]
    order = np.arange(counts.max())
    places = found.indptr[:-1, None] + np.minimum(order, counts - 1)
    weights = np.where(order < counts, found.data[places], np.float32(0))
    return found.indices[places].astype(np.int32), weights


KINDS: dict[str, Callable[[int, int, int, int], Weights]] = {
    "area": area,
    "area_enlarged": area_enlarged,
    "bilinear": bilinear,
    "bilinear_smooth": partial(smooth, reach=1, curve=triangle, widen=True),
    "bicubic": bicubic,
    "bicubic_tf": partial(smooth, reach=2, curve=cubic, widen=False),
    "bicubic_tf_smooth": partial(smooth, reach=2, curve=cubic, widen=True),
}
