"""An image's own file, as it was taken in: checked against its id, so that nothing else is ever shown in its place."""

from __future__ import annotations

import hashlib
import io
from typing import NamedTuple

from driftwatch.artifacts.keys import images_folder
from driftwatch.config.images import FORMATS, ImagesConfig
from driftwatch.errors import ChangedImage, MissingArtifact, OddEntry
from driftwatch.images.first_bytes import JPEG, Kind, kind_of
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.addresses import is_address
from driftwatch.storage.elsewhere import Elsewhere, storage_of

_QUALITY = 92
# Limits were looked at when the image was taken in, and may be others by now.
_WHAT_WAS_TAKEN = ImagesConfig(
    formats=FORMATS,
    max_bytes=1_000_000_000,
    max_pixels=1_000_000_000,
    min_side=1,
    damaged="accept",
    max_missing_share=1,
)


class Original(NamedTuple):
    """`kind`: what the first bytes say; the name does not count. Pictures that no browser shows as they were judged (TIFF, BMP, the first frame of a
    GIF) are JPEGs here."""

    data: bytes
    kind: Kind


def read_original(
    storage: Storage, image_id: str, key: str, most_bytes: int, elsewhere: Elsewhere = open_storage
) -> Original:
    """The file of an image. `image_id`: sha256 of its bytes. `storage`: the monitor's; `elsewhere` opens that of an image that lies apart.

    Raises ChangedImage where the file is gone, lies outside of the folder where images are left, has more than `most_bytes`, or is another one
    by now.
    """
    where = f"{storage.url(key)} is no longer the image {image_id} that was taken in"
    advice = "put that file back, or take the images in again (of a day: clear ingest_images)"
    try:
        place, inside = storage_of(key, storage, elsewhere)
        data = place.read_foreign(inside, "" if is_address(key) else images_folder(key), most_bytes)
    except (OddEntry, MissingArtifact) as error:
        raise ChangedImage(f"{where} ({error}): {advice}") from error
    kind = kind_of(data)
    found = None
    if hashlib.sha256(data).hexdigest() == image_id:
        found = Original(data, kind) if kind else _for_browsers(data)
    if found is None:
        raise ChangedImage(f"{where}: it was replaced; {advice}")
    return found


def _for_browsers(data: bytes) -> Original | None:
    """A picture of another format (`images.formats`) as a JPEG, upright, its first frame or page; None for what is no picture."""
    from PIL import Image

    from driftwatch.images.decode import decode_image
    from driftwatch.images.headers import RejectedImage

    try:
        rgb = decode_image(data, _WHAT_WAS_TAKEN).rgb
    except RejectedImage:
        return None
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=_QUALITY)
    return Original(buffer.getvalue(), JPEG)
