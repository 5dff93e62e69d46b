"""Safe decoding of one image's bytes to RGB, and the squashing to the model's input."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps
from scipy.sparse import csr_array

from driftwatch.images.headers import Header, RejectedImage, read_header

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig


class DecodedImage(NamedTuple):
    """`rgb`: uint8 [height, width, 3], upright; `format`: JPEG, PNG or WEBP."""

    rgb: np.ndarray
    format: str


def decode_image(data: bytes, limits: ImagesConfig) -> DecodedImage:
    """Checks an image's bytes and decodes them once.

    The checks come in this order, all before a pixel is decoded: empty, `max_bytes`, format by content, `max_pixels` (a
    decompression bomb is never opened), `min_side`; then decoding finds what is cut short or damaged.
    EXIF rotation is applied. CMYK, grey, palette and 16-bit pictures become 8-bit RGB (16 bit: the high byte);
    transparency is laid on white; of an animation the first frame counts; colour profiles are not applied.
    Raises RejectedImage, whose message says what is wrong and what is allowed.
    """
    if not data:
        raise RejectedImage("empty", "has 0 bytes")
    if len(data) > limits.max_bytes:
        raise RejectedImage("too_many_bytes", f"has {len(data)} bytes; images.max_bytes is {limits.max_bytes}")
    header = read_header(data)
    size = f"{header.width} x {header.height} pixels"
    if header.width * header.height > limits.max_pixels:
        raise RejectedImage("too_many_pixels", f"is {size}; images.max_pixels is {limits.max_pixels}", header)
    if min(header.width, header.height) < limits.min_side:
        raise RejectedImage("too_small", f"is {size}; images.min_side is {limits.min_side}", header)
    if header.format == "JPEG" and header.channels in (1, 3):
        rgb = _decode_jpeg(data, header)
    else:
        rgb = _decode_with_pillow(data, header)
    return DecodedImage(rgb, header.format)


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


def _decode_jpeg(data: bytes, header: Header) -> np.ndarray:
    """OpenCV's libjpeg-turbo: the same pixels as Pillow's in a third of the time to an array; it applies EXIF rotation."""
    try:
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise _damaged(header, error) from error
    if rgb is None or sorted(rgb.shape[:2]) != sorted((header.height, header.width)):
        raise _damaged(header, "the decoder gives no picture")
    return rgb


def _decode_with_pillow(data: bytes, header: Header) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data), formats=(header.format,)) as image:
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16-bit grey; convert() would clip it at 255
                grey = np.clip(np.asarray(upright), 0, 65535).astype(np.uint16)
                return np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, axis=2)
            if upright.has_transparency_data:
                overlay = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", overlay.size, "white"), overlay)
            return np.asarray(upright.convert("RGB"))
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise RejectedImage("too_many_pixels", f"is beyond the limit of Pillow itself: {error}", header) from error
    except (
        Exception
    ) as error:  # Pillow's decoders raise what they come upon: OSError, SyntaxError, struct.error, zlib.error
        raise _damaged(header, error) from error


def _damaged(header: Header, cause: object) -> RejectedImage:
    return RejectedImage("truncated", f"the {header.format} picture is cut short or damaged: {cause}", header)
