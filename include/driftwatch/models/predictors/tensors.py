"""From stored images to what a model is given: channels in order, numbers scaled, axes in order."""

from __future__ import annotations

import numpy as np

from driftwatch.artifacts.model_input import ModelInput

# Of 2**16, as Pillow converts to grey.
_GREY = np.array([19595, 38470, 7471], np.int32)


def tensor_of(images: np.ndarray, about: ModelInput) -> np.ndarray:
    """The tensor, float32, of stored images uint8 [n, h, w, 3], RGB. Each number becomes (number * scale - mean) / std."""
    if about.colour == "grey":
        ordered = ((images @ _GREY + 0x8000) >> 16)[..., None]
    else:
        ordered = images[..., ::-1] if about.colour == "bgr" else images
    found = ordered.astype(np.float32)
    if about.scale != 1:
        found *= np.float32(about.scale)
    if any(about.mean):
        found -= np.asarray(about.mean, np.float32)
    if any(part != 1 for part in about.std):
        found /= np.asarray(about.std, np.float32)
    return np.ascontiguousarray(found.transpose(0, 3, 1, 2)) if about.layout == "nchw" else found
