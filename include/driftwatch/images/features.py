"""Pixel features of one image: the whylogs image set, and sharpness features that see blur, pixelation and noise.

Two working resolutions, the same rule for reference and day, so that the cost per image is bounded:
- Colour statistics and entropy describe how pixel values are distributed. They are taken from every s-th pixel of every
  s-th row, s = ceil(longest side / 160): a sample keeps the distribution, noise included, where averaging would change it.
  Up to 160 px they are whylogs' own values (whylogs.extras.image_metric), but for one pixel in a hundred whose hue or
  saturation Pillow rounds to the neighbouring integer; above, they differ by a few hundredths of their spread over photos.
- Sharpness features live in neighbouring pixels and do not survive scaling. They are taken at full resolution in the
  central window of at most 256 x 256 pixels.
Of a large JPEG only these pixels are made (driftwatch.images.scaled).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from driftwatch.errors import DriftwatchError
from driftwatch.images.decode import check_file, picture_of
from driftwatch.images.kernels import grey_kernels, rgb_kernels
from driftwatch.images.picture import Picture, sampling, window

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import ImagesConfig

NARROWEST = 16  # two JPEG blocks


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


def image_features(image: np.ndarray | Picture) -> list[float]:
    """The features of one upright image, uint8 [height, width, 3] or as much of it as they need, in the order of FEATURES."""
    picture = image if isinstance(image, Picture) else Picture.whole(image)
    return [float(picture.width), float(picture.height), *_colour(picture.sample), *_sharpness(picture.detail)]


def extract_features(paths: Iterable[str | Path], limits: ImagesConfig | None = None) -> pd.DataFrame:
    """The features of image files, for notebooks: one row for each file, indexed by path. The column `phash` is the perceptual hash, by
    which the frames of one burst count as one image.

    `limits`: as in the monitor file's `images`, by default its defaults. Raises RejectedImage, naming the file, for one that
    ingest would quarantine, and DriftwatchError for a single path.

    >>> import tempfile
    >>> from PIL import Image
    >>> path = Path(tempfile.mkdtemp(), "grey.png")
    >>> Image.new("RGB", (64, 48), "grey").save(path)
    >>> features = extract_features([path])
    >>> features.shape
    (1, 17)
    >>> features[["image.ImagePixelWidth", "image.Brightness.mean", "image.Brightness.stddev"]].iloc[0].tolist()
    [64.0, 128.0, 0.0]
    """
    import pandas as pd

    from driftwatch.config import ImagesConfig
    from driftwatch.images.headers import RejectedImage
    from driftwatch.images.near_duplicates import HASHED_SIDE, perceptual_hash

    if isinstance(paths, (str, Path)):
        raise DriftwatchError(f"{paths}: a list of image files is expected, such as sorted(Path(folder).glob('*.jpg'))")
    limits = limits or ImagesConfig()
    names, rows, hashes = [], [], []
    for path in paths:
        try:
            file = check_file(Path(path).read_bytes(), limits)
            picture, _ = picture_of(file, limits, (HASHED_SIDE, HASHED_SIDE))
        except RejectedImage as error:
            raise RejectedImage(error.kind, f"{path}: {error}", error.header) from error
        names.append(str(path))
        rows.append(image_features(picture))
        hashes.append(perceptual_hash(picture.rgb))
    values = np.array(rows, float).reshape(-1, len(COLUMNS))
    return pd.DataFrame(values, index=pd.Index(names, name="path"), columns=COLUMNS).assign(phash=hashes)


def _colour(rgb: np.ndarray) -> tuple[float, ...]:
    """Entropy as Image.entropy(), mean and standard deviation as ImageStat.Stat gives them for Pillow's HSV mode."""
    step = sampling(*rgb.shape[:2])
    bits = _bits_of_counts(max(1, rgb.shape[0] // step) * max(1, rgb.shape[1] // step))
    return rgb_kernels().colour(np.ascontiguousarray(rgb).reshape(len(rgb), -1), step, bits)


@lru_cache(maxsize=1024)
def _bits_of_counts(pixels: int) -> np.ndarray:
    return rgb_kernels().bits_of_counts(pixels)


def _sharpness(rgb: np.ndarray) -> tuple[float, ...]:
    """The features from image.Sharpness.laplacian on, in the order of FEATURES."""
    top, height = window(rgb.shape[0])
    left, width = window(rgb.shape[1])
    if min(height, width) < NARROWEST:  # too narrow for a grid: mirrored until it is not
        more = [(0, max(0, NARROWEST - side)) for side in (height, width)]
        rgb = np.pad(rgb[top : top + height, left : left + width], [*more, (0, 0)], mode="symmetric")
        top, left, (height, width) = 0, 0, rgb.shape[:2]
    return grey_kernels().window_sharpness(np.ascontiguousarray(rgb).reshape(len(rgb), -1), top, left, height, width)
