"""GIST: what a picture shows, told from its edges (Oliva and Torralba, Modeling the shape of the scene, 2001).

It needs no model: it stands in for embeddings where production's model gives none. A picture is made grey and small, its brightness and
contrast are evened out, and it is filtered in SCALES scales and ORIENTATIONS orientations. The strength of each answer is averaged in
a grid of GRID x GRID cells. The same picture always has the same numbers.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

SCALES, ORIENTATIONS, GRID = 4, 8, 4
WIDTH = SCALES * ORIENTATIONS * GRID * GRID
_SIDE, _PAD = 64, 8  # pixels; the border is a mirror of the picture, so that no edge comes of it
_WHOLE = _SIDE + 2 * _PAD
_SMOOTH, _FLOOR = 5.0, 0.2
_AT_ONCE = 64


def gist(images: np.ndarray) -> np.ndarray:
    """The descriptors of uint8 RGB images [n, height, width, 3]: float16 [n, WIDTH]."""
    found = np.empty((len(images), WIDTH), "float16")
    for start in range(0, len(images), _AT_ONCE):
        found[start : start + _AT_ONCE] = _described(
            np.stack([_evened(image) for image in images[start : start + _AT_ONCE]])
        )
    return found


def _evened(image: np.ndarray) -> np.ndarray:
    """The picture in grey, float32 [_WHOLE, _WHOLE]: around each pixel its mean is 0 and its contrast about 1."""
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.copyMakeBorder(np.log1p(grey.astype("float32")), _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REFLECT_101)
    sharp = grey - cv2.GaussianBlur(grey, (0, 0), _SMOOTH)
    contrast = np.sqrt(cv2.GaussianBlur(sharp * sharp, (0, 0), _SMOOTH))
    return sharp / (_FLOOR + contrast)


def _described(pictures: np.ndarray) -> np.ndarray:
    """float32 [n, WIDTH] of evened pictures [n, _WHOLE, _WHOLE]."""
    from scipy import fft

    spectrum = fft.fft2(pictures)
    parts = []
    for scale in range(SCALES):
        filters = _filters(scale)
        side = filters.shape[-1]
        # A coarse filter passes low frequencies alone: its answer is computed in as few pixels as these need.
        low = _lowest(spectrum, side) * (side / _WHOLE) ** 2
        for one in filters:
            answer = np.abs(fft.ifft2(low * one))
            pad = _PAD * side // _WHOLE
            inner = answer[:, pad : side - pad, pad : side - pad]
            cell = inner.shape[1] // GRID
            parts.append(
                inner.reshape(len(pictures), GRID, cell, GRID, cell).mean(axis=(2, 4)).reshape(len(pictures), -1)
            )
    return np.concatenate(parts, axis=1)


def _lowest(spectrum: np.ndarray, side: int) -> np.ndarray:
    """The lowest `side` frequencies of both axes."""
    half = side // 2
    kept = np.r_[0:half, -half:0]
    return spectrum[:, kept[:, None], kept]


@lru_cache(maxsize=SCALES)
def _filters(scale: int) -> np.ndarray:
    """Gabor filters of one scale, by their passing of frequencies: float32 [ORIENTATIONS, side, side]. Scale 0 is the finest."""
    side = _WHOLE >> scale
    frequency = np.fft.fftfreq(side, 1 / side) / _WHOLE
    x, y = np.meshgrid(frequency, frequency)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    centre = 0.3 / 1.85**scale
    turned = angle - (np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS)[:, None, None]
    turned = (turned + np.pi) % (2 * np.pi) - np.pi
    spread = 16 * ORIENTATIONS**2 / 32**2
    passing = np.exp(-10 * 0.35 * (radius / centre - 1) ** 2 - 2 * spread * np.pi * turned**2)
    passing[:, 0, 0] = 0
    return passing.astype("float32")
