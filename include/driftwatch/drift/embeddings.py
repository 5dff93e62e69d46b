"""The embedding, which is what the model's last hidden layer says of an image, as a few numbers that can be tested for drift.

A model has fitted the images that it was trained on: their embeddings differ from those of any new image. So they serve for the axes
alone. The axes are the principal components of the training images' embeddings, the directions in which these vary most. Each is
divided by its standard deviation ("whitened"). Along these axes held-out images (images of the model's data that it was not trained
on) and new ones are alike where nothing drifted. The components go through the same test as the features
(driftwatch.drift.reference), together with the distance from the centre and the length that the components leave out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

COMPONENTS = 16
DISTANCE, RESIDUAL = "distance", "residual"
_TINY = 1e-6
_ROWS_AT_ONCE = 4096  # a large day's embeddings are a gigabyte as floats


def fit_projection(embeddings: np.ndarray) -> np.ndarray:
    """The projection of `embeddings` [n, width] onto their first principal components, at most COMPONENTS.

    Returns [1 + components, width + 1]. The first row is the mean, followed by a 0; each other row is an axis, followed by the
    standard deviation along it.
    """
    values = embeddings.astype(float)
    mean = values.mean(axis=0)
    _, singular, axes = np.linalg.svd(values - mean, full_matrices=False)
    spread = singular / np.sqrt(max(len(values) - 1, 1))
    kept = min(COMPONENTS, int((spread > _TINY * max(spread.max(initial=0), _TINY)).sum()))
    # An axis has no sign of its own: the largest entry is made positive, so that machines agree.
    signs = np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1))
    return np.column_stack([np.vstack([mean, (axes * signs)[:kept]]), np.append(0.0, spread[:kept])])


def project(embeddings: np.ndarray, projection: np.ndarray) -> pd.DataFrame:
    """The components of `embeddings` [n, width], one row for each image.

    Columns: component_01 … in standard deviations of the training images, `distance` (the logarithm of their root mean square) and
    `residual` (the logarithm of the length that the components leave out).
    """
    mean, axes, spread = projection[0, :-1], projection[1:, :-1], projection[1:, -1]
    found = np.empty((len(embeddings), len(axes) + 2))
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        centred = embeddings[start : start + _ROWS_AT_ONCE].astype(float) - mean
        along = centred @ axes.T
        left_out = np.sqrt(np.maximum(np.square(centred).sum(axis=1) - np.square(along).sum(axis=1), 0))
        distance = np.sqrt(np.square(along / spread).sum(axis=1) / max(len(axes), 1))
        logs = np.log(np.stack([distance, left_out], axis=1) + _TINY)
        found[start : start + _ROWS_AT_ONCE] = np.concatenate([along / spread, logs], axis=1)
    components = [f"component_{number:02d}" for number in range(1, len(axes) + 1)]
    return pd.DataFrame(found, columns=[*components, DISTANCE, RESIDUAL])
