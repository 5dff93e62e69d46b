"""Pictures with a face that nobody may see: a checkerboard of two colours that are nowhere else. `vivid` tells whether any of it is left."""

from __future__ import annotations

import hashlib
import io

import numpy as np
from PIL import Image

from driftwatch.artifacts.store import DayStore

WIDTH, HEIGHT = 160, 120
# x, y, width, height in the upright picture.
BOX = (64, 32, 48, 40)
TABLE = "metadata/faces/{day}.csv"
HEADER = "key,x,y,width,height"
_MAGENTA, _GREEN = (255, 0, 255), (0, 255, 0)


def upright(number: int = 0) -> np.ndarray:
    """uint8 [HEIGHT, WIDTH, 3]: grey, with a face in BOX. `number`: makes it another picture."""
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    picture[-8:] = 100 + number % 50
    x, y, width, height = BOX
    down, across = np.mgrid[:height, :width] // 8
    picture[y : y + height, x : x + width] = np.where(((down + across) % 2)[..., None] == 0, _MAGENTA, _GREEN)
    return picture


def file_of(picture: np.ndarray, orientation: int = 1, kind: str = "JPEG") -> bytes:
    """A file that a viewer turns to `picture`, with a thumbnail of the whole in its EXIF, as cameras write it."""
    stored = Image.fromarray(picture)
    turned = {1: stored, 3: stored.transpose(Image.Transpose.ROTATE_180), 6: stored.transpose(Image.Transpose.ROTATE_90)}  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "taken at the door of Jane Doe"
    buffer = io.BytesIO()
    turned[orientation].save(buffer, kind, quality=95, subsampling=0, exif=exif)
    return buffer.getvalue()


def vivid(data: bytes | np.ndarray) -> int:
    """How many pixels are plainly magenta or green."""
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) if isinstance(data, bytes) else data
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return int((np.abs((red + blue) // 2 - green) > 60).sum())


def put(day: DayStore, name: str, data: bytes) -> tuple[str, str]:
    """The id and the key of an image of the day."""
    key = f"{day.keys.incoming}/{name}"
    day.storage.write_bytes(key, data)
    return hashlib.sha256(data).hexdigest(), key


def write_boxes(day: DayStore, *rows: str) -> None:
    """The day's table of boxes."""
    day.storage.write_bytes(f"metadata/faces/{day.date}.csv", "\n".join([HEADER, *rows]).encode())


def row(name: str) -> str:
    """The row of an image's face."""
    return ",".join(map(str, (name, *BOX)))
