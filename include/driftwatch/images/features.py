"""Pixel features of one image: the whylogs image set, and sharpness features that see blur, pixelation and noise.

Two working resolutions, the same rule for reference and day, so that the cost per image is bounded:
- Colour statistics and entropy describe how pixel values are distributed. They are taken from every s-th pixel of every
  s-th row, s = ceil(longest side / 160): a sample keeps the distribution, noise included, where averaging would change it.
  Up to 160 px they are whylogs' own values (whylogs.extras.image_metric), but for one pixel in a hundred whose hue or
  saturation Pillow rounds to the neighbouring integer; above, they differ by a few hundredths of their spread over photos.
- Sharpness features live in neighbouring pixels and do not survive scaling. They are taken at full resolution in the
  central window of at most 256 x 256 pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from driftwatch.images.decode import decode_image

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import ImagesConfig

SAMPLED_SIDE = 160
WINDOW_SIDE = 256
JPEG_BLOCK = 8
# Keeps logarithms finite on flat pictures; far below the rounding of 8-bit pixels (variance 1/12).
_FLOOR = 0.01
# Pillow's HSV is 0 to 255, truncated; the margins keep a value that rounding put just below an integer from losing one.
_TO_PILLOW_HSV = np.array([[255 / 360, 0, 0, 2e-4], [0, 255, 0, 5e-3], [0, 0, 255, 1e-3]], np.float32)
_PHASE_BEFORE, _PHASE_AFTER = np.arange(-1, JPEG_BLOCK - 1), np.arange(1, JPEG_BLOCK + 1) % JPEG_BLOCK
_SECOND_DIFFERENCE = np.array([1, -2, 1], np.float32)


class Feature(NamedTuple):
    """A column of the feature table and what it means."""

    column: str
    meaning: str


FEATURES = (
    Feature("image.ImagePixelWidth", "width in pixels, upright"),
    Feature("image.ImagePixelHeight", "height in pixels, upright"),
    Feature("image.entropy", "entropy in bits of the histograms of red, green and blue laid side by side (0 to 9.6)"),
    Feature("image.Hue.mean", "mean hue, 0 to 255"),
    Feature("image.Hue.stddev", "standard deviation of the hue"),
    Feature("image.Saturation.mean", "mean saturation, 0 to 255"),
    Feature("image.Saturation.stddev", "standard deviation of the saturation"),
    Feature("image.Brightness.mean", "mean brightness (HSV value), 0 to 255"),
    Feature("image.Brightness.stddev", "standard deviation of the brightness"),
    Feature("image.Sharpness.laplacian", "log variance of the Laplacian: falls with blur, rises with noise"),
    Feature("image.Sharpness.gradient", "log mean difference of neighbouring pixels: edges and contrast"),
    Feature("image.Sharpness.high_frequency", "log energy of the finest details over that of details twice as large"),
    Feature(
        "image.Sharpness.peakedness",
        "log of mean squared over squared mean of the finest details: falls with noise and blur",
    ),
    Feature(
        "image.Sharpness.grid", "log unevenness of neighbouring columns' and rows' differences: pixelation, resampling"
    ),
    Feature(
        "image.Sharpness.blockiness",
        "log of the differences across the strongest 8-pixel grid over those beside it: JPEG blocks",
    ),
    Feature("image.Sharpness.noise", "log noise level by Immerkaer's mask"),
)
COLUMNS = tuple(feature.column for feature in FEATURES)


def image_features(rgb: np.ndarray) -> list[float]:
    """The features of one upright image, uint8 [height, width, 3], in the order of FEATURES."""
    height, width = rgb.shape[:2]
    return [float(width), float(height), *_colour(rgb), *_sharpness(rgb)]


def extract_features(paths: Iterable[str | Path], limits: ImagesConfig | None = None) -> pd.DataFrame:
    """The features of image files, one row a file, indexed by path; for notebooks.

    `limits`: as in the monitor file's `images`, by default its defaults. Raises RejectedImage, naming the file, for one that
    ingest would quarantine.
    """
    import pandas as pd

    from driftwatch.config import ImagesConfig
    from driftwatch.images.headers import RejectedImage

    limits = limits or ImagesConfig()
    names, rows = [], []
    for path in paths:
        try:
            rows.append(image_features(decode_image(Path(path).read_bytes(), limits).rgb))
        except RejectedImage as error:
            raise RejectedImage(error.kind, f"{path}: {error}", error.header) from error
        names.append(str(path))
    return pd.DataFrame(
        np.array(rows, float).reshape(-1, len(COLUMNS)), index=pd.Index(names, name="path"), columns=COLUMNS
    )


def _colour(rgb: np.ndarray) -> list[float]:
    """Entropy as Image.entropy(), mean and standard deviation as ImageStat.Stat gives them for Pillow's HSV mode."""
    step = math.ceil(max(rgb.shape[:2]) / SAMPLED_SIDE)
    if step > 1:
        height, width = (max(1, side // step) for side in rgb.shape[:2])
        whole = rgb[: height * step, : width * step] if min(rgb.shape[:2]) >= step else rgb
        rgb = cv2.resize(whole, (width, height), interpolation=cv2.INTER_NEAREST)
    counts = np.concatenate([cv2.calcHist([rgb], [band], None, [256], [0, 256]).ravel() for band in range(3)])
    shares = counts[counts > 0] / (3 * rgb.shape[0] * rgb.shape[1])
    hsv = cv2.cvtColor(rgb * np.float32(1 / 255), cv2.COLOR_RGB2HSV)
    mean, spread = cv2.meanStdDev(cv2.transform(hsv, _TO_PILLOW_HSV).astype(np.uint8))
    return [-float(shares @ np.log2(shares)), *np.column_stack([mean, spread]).ravel().tolist()]


def _sharpness(rgb: np.ndarray) -> list[float]:
    height, width = rgb.shape[:2]
    top, left = max(0, height - WINDOW_SIDE) // 2, max(0, width - WINDOW_SIDE) // 2
    grey = cv2.cvtColor(rgb[top : top + WINDOW_SIDE, left : left + WINDOW_SIDE], cv2.COLOR_RGB2GRAY)
    if min(grey.shape) < 2 * JPEG_BLOCK:  # too narrow for a grid: mirrored until it is not
        more = [max(0, 2 * JPEG_BLOCK - side) for side in grey.shape]
        grey = np.pad(grey, [(0, more[0]), (0, more[1])], mode="symmetric")
    laplacian = _mean_square(cv2.Laplacian(grey, cv2.CV_16S))
    details = cv2.sepFilter2D(grey, cv2.CV_16S, _SECOND_DIFFERENCE, _SECOND_DIFFERENCE)
    noise = cv2.norm(details, cv2.NORM_L1) / details.size
    across, down = cv2.absdiff(grey[:, 1:], grey[:, :-1]), cv2.absdiff(grey[1:], grey[:-1])
    half = grey.shape[1] // 2, grey.shape[0] // 2
    coarse = cv2.resize(grey[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    fine_energy = _mean_square(across) + _mean_square(down)
    coarse_energy = (
        cv2.norm(coarse[:, 1:], coarse[:, :-1], cv2.NORM_L2SQR) + cv2.norm(coarse[1:], coarse[:-1], cv2.NORM_L2SQR)
    ) / coarse.size
    columns = cv2.reduce(across, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() / across.shape[0]
    rows = cv2.reduce(down, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() / down.shape[1]
    mean = (_mean(columns) + _mean(rows)) / 2
    uneven = (_mean(np.abs(columns[1:] - columns[:-1])) + _mean(np.abs(rows[1:] - rows[:-1]))) / 2
    return [
        math.log(laplacian + _FLOOR),
        math.log(mean + _FLOOR),
        math.log((fine_energy + _FLOOR) / (coarse_energy + _FLOOR)),
        math.log((_mean_square(details) + _FLOOR) / (noise * noise + _FLOOR)),
        math.log((uneven + _FLOOR) / (mean + _FLOOR)),
        math.log((_grid(columns) + _grid(rows)) / 2),
        math.log(noise * math.sqrt(math.pi / 2) / 6 + _FLOOR),
    ]


def _mean_square(values: np.ndarray) -> float:
    return cv2.norm(values, cv2.NORM_L2SQR) / values.size


def _mean(values: np.ndarray) -> float:
    """As values.mean(), in a third of the time for a few hundred values."""
    return float(values.sum()) / values.size


def _grid(profile: np.ndarray) -> float:
    """How much larger the differences are at the likeliest phase of an 8-pixel grid than at the phases beside it."""
    blocks = len(profile) // JPEG_BLOCK
    phases = profile[: blocks * JPEG_BLOCK].reshape(-1, JPEG_BLOCK).sum(axis=0) / blocks + _FLOOR
    beside = phases[_PHASE_BEFORE] + phases[_PHASE_AFTER]
    return float((2 * phases / beside).max())
