"""Safe decoding of one image's bytes to RGB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL import ImageFile as PillowFile

from driftwatch.images.avif import read_avif
from driftwatch.images.bmp import read_bmp
from driftwatch.images.gif import read_gif
from driftwatch.images.headers import Header, ImageFile, RejectedImage, damaged, format_of
from driftwatch.images.heic import read_heic
from driftwatch.images.jpeg import decode_jpeg, read_jpeg
from driftwatch.images.picture import Picture, upright
from driftwatch.images.plain_jpeg import read_jpeg_quickly
from driftwatch.images.png import read_png
from driftwatch.images.scaled import read_scaled
from driftwatch.images.tiff import read_tiff
from driftwatch.images.webp import read_webp

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig

_READERS = {
    "JPEG": read_jpeg,
    "PNG": read_png,
    "WEBP": read_webp,
    "TIFF": read_tiff,
    "BMP": read_bmp,
    "GIF": read_gif,
    "AVIF": read_avif,
    "HEIC": read_heic,
}
_OF_PILLOW = {"HEIC": "HEIF"}  # formats that Pillow calls otherwise
_ROWS_AT_ONCE = 256


class DecodedImage(NamedTuple):
    """`rgb`: uint8 [height, width, 3], upright; `format`: as the header has it; `note`: what is odd about the file, mostly empty."""

    rgb: np.ndarray
    format: str
    note: str = ""


def decode_image(data: bytes, limits: ImagesConfig) -> DecodedImage:
    """Checks an image's bytes and decodes them once: `check_file` without kernels, which most processes that show an image never load, then
    `decode_file`."""
    return decode_file(check_file(data, limits, kernels=False), limits)


def check_file(data: bytes, limits: ImagesConfig, kernels: bool = True) -> ImageFile:
    """Looks through an image's bytes without decoding a pixel; `kernels`: by compiled ones where these are quicker.

    The checks come in this order: empty, `max_bytes`, format by content, `max_pixels` (a decompression bomb is never
    opened), `min_side`, then what is cut short, or small but far more work than a picture of its size.
    Raises RejectedImage, whose message says what is wrong and what is allowed.
    """
    if not data:
        raise RejectedImage("empty", "has 0 bytes")
    if len(data) > limits.max_bytes:
        raise RejectedImage("too_many_bytes", f"has {len(data)} bytes; images.max_bytes is {limits.max_bytes}")

    def check(header: Header) -> None:
        if not header.width or not header.height:
            raise RejectedImage("not_an_image", f"the {header.format} header says {header.size}")
        if header.width * header.height > limits.max_pixels:
            most = f"images.max_pixels is {limits.max_pixels}"
            raise RejectedImage("too_many_pixels", f"is {header.size}; {most}", header)
        if min(header.width, header.height) < limits.min_side:
            raise RejectedImage("too_small", f"is {header.size}; images.min_side is {limits.min_side}", header)

    name = format_of(data, limits.formats)
    return read_jpeg_quickly(data, check) if name == "JPEG" and kernels else _READERS[name](data, check)


def decode_file(file: ImageFile, limits: ImagesConfig) -> DecodedImage:
    """The picture of a file that was looked through; finds what is cut short or damaged, and does with it as `images.damaged` says.

    EXIF rotation is applied. CMYK, grey, palette and 16-bit pictures become 8-bit RGB (16 bit: the high byte);
    transparency is laid on white; of an animation the first frame counts, of several pages the first; colour profiles are not applied.
    Raises RejectedImage.
    """
    note = file.note
    if file.header.format == "JPEG":
        rgb, note = decode_jpeg(file, limits)
    else:
        rgb = _decode_with_pillow(file)
    return DecodedImage(upright(rgb, file.orientation), file.header.format, note)


def picture_of(file: ImageFile, limits: ImagesConfig, needed: tuple[int, int] | None) -> tuple[Picture, str]:
    """What the pass sees of a file that was looked through, and the note on it, as `decode_file` gives it.

    `needed`: the rows and columns that are enough, upright; None where the whole picture is needed. Where they allow it, a large JPEG is
    not decoded whole (see `driftwatch.images.scaled`). Raises RejectedImage.
    """
    picture = read_scaled(file, *needed) if needed else None
    if picture is not None:
        return picture, file.note
    decoded = decode_file(file, limits)
    return Picture.whole(decoded.rgb), decoded.note


def _decode_with_pillow(file: ImageFile) -> np.ndarray:
    PillowFile.LOAD_TRUNCATED_IMAGES = False  # a library that turns it on would hide what is missing
    header = file.header
    try:
        with Image.open(io.BytesIO(file.data), formats=(_OF_PILLOW.get(header.format, header.format),)) as image:
            image.load()
            if header.format == "HEIC" and image.size != (header.width, header.height):
                raise ValueError(
                    f"it has {image.width} x {image.height} pixels, and says {header.width} x {header.height}"
                )
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
