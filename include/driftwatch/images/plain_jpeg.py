"""The JPEGs that most encoders write, looked through by a compiled kernel; the others as `driftwatch.images.jpeg` does it."""

from __future__ import annotations

import numpy as np

from driftwatch.images.headers import Check, Header, ImageFile
from driftwatch.images.jpeg import read_jpeg
from driftwatch.images.kernels import marker_kernels


def read_jpeg_quickly(data: bytes, check: Check) -> ImageFile:
    """As `read_jpeg`, with the same outcome, in a third of the time for a file without metadata."""
    height, width, components, frame, end = marker_kernels().plain_jpeg(np.frombuffer(data, np.uint8))
    if frame < 0:
        return read_jpeg(data, check)
    header = Header("JPEG", width, height, components)
    check(header)
    return ImageFile(header, data[: end + 2], frame=frame)
