"""Pictures, the files that hold them, and how a file ends up, for the tests of this package."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from driftwatch.config import ImagesConfig
from driftwatch.images.decode import decode_image
from driftwatch.images.headers import RejectedImage

LIMITS = ImagesConfig()
ACCEPT = ImagesConfig(damaged="accept", max_missing_share=0.8)


def picture(width: int = 320, height: int = 240) -> np.ndarray:
    """Colourful, with fine noise: damage anywhere in its data shows."""
    rng = np.random.default_rng(0)
    smooth = cv2.resize(rng.integers(40, 200, (8, 12, 3), dtype=np.uint8), (width, height))
    return np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255).astype(np.uint8)


def encoded(rgb: np.ndarray | Image.Image, kind: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(rgb) if isinstance(rgb, np.ndarray) else rgb).save(buffer, kind, **options)
    return buffer.getvalue()


def kind_of(data: bytes, limits: ImagesConfig = LIMITS) -> str:
    """How the file ends up: the kind of its refusal, its note's, or `whole`."""
    try:
        return decode_image(data, limits).note.partition(":")[0] or "whole"
    except RejectedImage as error:
        return error.kind


JPEG = encoded(picture(), quality=90)
