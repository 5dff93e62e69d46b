"""Safe decoding of one image's bytes to RGB, and the squashing to the model's input."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL import ImageFile as PillowFile
from scipy.sparse import csr_array

from driftwatch.images.headers import Header, ImageFile, RejectedImage, damaged, format_of
from driftwatch.images.jpeg import decode_jpeg, read_jpeg
from driftwatch.images.png import read_png
from driftwatch.images.webp import read_webp

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig

_READERS = {"JPEG": read_jpeg, "PNG": read_png, "WEBP": read_webp}
_ROWS_AT_ONCE = 256


class DecodedImage(NamedTuple):
    """`rgb`: uint8 [height, width, 3], upright; `format`: JPEG, PNG or WEBP; `note`: what is odd about the file, mostly empty."""

    rgb: np.ndarray
    format: str
    note: str = ""


def decode_image(data: bytes, limits: ImagesConfig) -> DecodedImage:
    """Checks an image's bytes and decodes them once: `check_file`, then `decode_file`."""
    return decode_file(check_file(data, limits), limits)


def check_file(data: bytes, limits: ImagesConfig) -> ImageFile:
    """Looks through an image's bytes without decoding a pixel.

    The checks come in this order: empty, `max_bytes`, format by content, `max_pixels` (a decompression bomb is never
    opened), `min_side`, then what is cut short, or small but far more work than a picture of its size.
    Raises RejectedImage, whose message says what is wrong and what is allowed.
    """
    if not data:
        raise RejectedImage("empty", "has 0 bytes")
    if len(data) > limits.max_bytes:
        raise RejectedImage("too_many_bytes", f"has {len(data)} bytes; images.max_bytes is {limits.max_bytes}")

    def check(header: Header) -> None:
        size = f"{header.width} x {header.height} pixels"
        if not header.width or not header.height:
            raise RejectedImage("not_an_image", f"the {header.format} header says {size}")
        if header.width * header.height > limits.max_pixels:
            raise RejectedImage("too_many_pixels", f"is {size}; images.max_pixels is {limits.max_pixels}", header)
        if min(header.width, header.height) < limits.min_side:
            raise RejectedImage("too_small", f"is {size}; images.min_side is {limits.min_side}", header)

    return _READERS[format_of(data)](data, check)


def decode_file(file: ImageFile, limits: ImagesConfig) -> DecodedImage:
    """The picture of a file that was looked through; finds what is cut short or damaged, and does with it as `images.damaged` says.

    EXIF rotation is applied. CMYK, grey, palette and 16-bit pictures become 8-bit RGB (16 bit: the high byte);
    transparency is laid on white; of an animation the first frame counts; colour profiles are not applied.
    Raises RejectedImage.
    """
    note = file.note
    if file.header.format == "JPEG":
        rgb, note = decode_jpeg(file, limits)
    else:
        rgb = _decode_with_pillow(file)
    return DecodedImage(_upright(rgb, file.orientation), file.header.format, note)


class Halvings:
    """An upright picture, uint8 [height, width, 3], and, made when asked for, its halves by averages of 2 x 2 pixels: what
    shrinks a picture starts from one of them. An odd last row or column is left out of the next."""

    def __init__(self, rgb: np.ndarray) -> None:
        self._pictures = [np.ascontiguousarray(rgb)]

    def squashed(self, size: int, averaged: int = 1) -> np.ndarray:
        """The picture squashed to a square, uint8 [size, size, 3], by averages over equal areas of the smallest of the halves
        that has at least `size * averaged` pixels on both sides."""
        from driftwatch.images.kernels.rgb import average_areas, halve

        level = 0
        while min(self._pictures[level].shape[:2]) >= 2 * size * averaged:
            level += 1
            if level == len(self._pictures):
                whole = self._pictures[-1]
                height, width = whole.shape[0] // 2, whole.shape[1] // 2
                half = np.empty((height, width, 3), np.uint8)
                halve(whole.reshape(len(whole), -1), half.reshape(height, -1))
                self._pictures.append(half)
        picture = self._pictures[level]
        height, width = picture.shape[:2]
        if min(height, width) < size:
            return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        square = np.empty((size, size, 3), np.uint8)
        shares = _area_shares(height, size), _area_shares(width, size)
        average_areas(picture.reshape(height, -1), *shares, square.reshape(size, -1))
        return square


def model_input(picture: np.ndarray | Halvings, size: int) -> np.ndarray:
    """The picture squashed to the model's square input, uint8 [size, size, 3], by area averaging.

    Halved exactly while both sides stay at least twice `size`, then averaged over the rest: half the time of averaging at
    once, at the price of an odd last row or column in each halving.
    """
    return (picture if isinstance(picture, Halvings) else Halvings(picture)).squashed(size)


@lru_cache(maxsize=1024)
def _area_shares(side: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much each of `side` pixels counts in each of `size` averages over equal stretches of them, as OpenCV's INTER_AREA: a
    sparse matrix [size, side], its (indptr int32, indices int32, data float32)."""
    scale = side / size
    pixel = np.arange(side)
    first = np.minimum(pixel // scale, size - 1).astype(int)
    inside = np.minimum(1, (first + 1) * scale - pixel)  # the rest of the pixel lies in the next stretch
    stretch, shares = np.concatenate([first, np.minimum(first + 1, size - 1)]), np.concatenate([inside, 1 - inside])
    kept = shares > 1e-3
    pixels = np.concatenate([pixel, pixel])
    found = csr_array(((shares / scale)[kept].astype(np.float32), (stretch[kept], pixels[kept])), shape=(size, side))
    return found.indptr.astype(np.int32), found.indices.astype(np.int32), found.data


def _upright(rgb: np.ndarray, orientation: int) -> np.ndarray:
    """A picture turned and mirrored as EXIF's `orientation`, 1 to 8, says."""
    if orientation > 4:
        rgb = rgb.swapaxes(0, 1)
    down, right = (-1 if orientation in chosen else 1 for chosen in ((3, 4, 7, 8), (2, 3, 6, 7)))
    return np.ascontiguousarray(rgb[::down, ::right])


def _decode_with_pillow(file: ImageFile) -> np.ndarray:
    PillowFile.LOAD_TRUNCATED_IMAGES = False  # a library that turns it on would hide what is missing
    header = file.header
    try:
        with Image.open(io.BytesIO(file.data), formats=(header.format,)) as image:
            image.load()
            return _rgb(image)
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise RejectedImage("too_many_pixels", f"is beyond the limit of Pillow itself: {error}", header) from error
    except UnidentifiedImageError as error:  # its text holds an address in memory, other in each run
        raise damaged(header, header.format, "Pillow finds no picture in it") from error
    except (
        Exception
    ) as error:  # Pillow's decoders raise what they come upon: OSError, SyntaxError, struct.error, zlib.error
        raise damaged(header, header.format, error) from error


def _rgb(image: Image.Image) -> np.ndarray:
    """uint8 [height, width, 3]; made some rows at a time, since each step of it takes as much memory as the picture."""
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _ROWS_AT_ONCE):
        part = image.crop((0, top, image.width, min(top + _ROWS_AT_ONCE, image.height)))
        if image.mode.startswith("I"):  # 16-bit grey; convert() would clip it at 255
            grey = np.clip(np.asarray(part), 0, 65535).astype(np.uint16)
            rgb[top : top + _ROWS_AT_ONCE] = (grey >> 8).astype(np.uint8)[..., None]
            continue
        if image.has_transparency_data:
            overlay = part.convert("RGBA")
            part = Image.alpha_composite(Image.new("RGBA", overlay.size, "white"), overlay)
        rgb[top : top + _ROWS_AT_ONCE] = np.asarray(part.convert("RGB"))
    return rgb
