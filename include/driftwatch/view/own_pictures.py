"""Pictures for people that are made of an image's own file, with what `labels.blur` covers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from driftwatch.errors import ChangedImage
from driftwatch.images.covered import shown_original
from driftwatch.images.decode import decode_image
from driftwatch.images.headers import RejectedImage

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore

_QUALITY = 82
_SMALL = 240  # pixels of the longer side: those in lists are 120 high, and at most twice as wide


def large_picture(store: MonitorStore, image_id: str, key: str, side: int) -> bytes:
    """A JPEG of the image's own file, upright, of at most `side` pixels a side. Raises ChangedImage or RejectedImage where the file is not
    the image any more, and HiddenImage where nobody may be shown it."""
    original = shown_original(store, image_id, key, store.config.images.max_bytes)
    picture = Image.fromarray(decode_image(original.data, store.config.images).rgb)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def small_picture(store: MonitorStore, image_id: str, key: str) -> bytes | None:
    """The same for a list; None where there is none to show."""
    try:
        return large_picture(store, image_id, key, _SMALL)
    except (ChangedImage, RejectedImage):
        return None
