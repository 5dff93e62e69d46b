"""BMP: the header looked through. Only uncompressed pictures are taken: Pillow unpacks the others in a loop of Python."""

from __future__ import annotations

import struct

from driftwatch.images.headers import Check, Header, ImageFile, RejectedImage

_UNCOMPRESSED, _MASKED = (0, 3), 3  # BI_RGB, BI_BITFIELDS
_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_SIZES = "12, 40, 52, 56, 64, 108 and 124"
# The masks of red, green, blue and alpha that Pillow knows, by bits.
_RED_FIRST, _BLUE_FIRST = (0xFF, 0xFF00, 0xFF0000), (0xFF0000, 0xFF00, 0xFF)
_MASKS = {
    16: {(0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0)},
    24: {(*_BLUE_FIRST, 0)},
    32: {
        (*_BLUE_FIRST, 0),
        (*_BLUE_FIRST, 0xFF000000),
        (*_RED_FIRST, 0xFF000000),
        (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        (0xFF000000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
        (0, 0, 0, 0),
    },
}


def read_bmp(data: bytes, check: Check) -> ImageFile:
    """The file must hold all rows that its header names. Damage within them cannot be told: a BMP has no sums."""
    if len(data) < 26:
        raise RejectedImage("truncated", "the BMP file ends inside its header")
    start, size = struct.unpack_from("<II", data, 10)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    elif size in _HEADERS and len(data) >= 54:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    elif size in _HEADERS:
        raise RejectedImage("truncated", "the BMP file ends inside its header")
    elif 16 <= size < 64:
        raise RejectedImage(
            "unsupported_format", f"is a BMP with a header of {size} bytes (OS/2's, cut short); {_SIZES} are taken"
        )
    else:
        raise RejectedImage("not_an_image", f"the BMP file has a header of {size} bytes; {_SIZES} are known")
    header = Header("BMP", max(width, 0), abs(height))  # rows from the top have a negative height
    check(header)
    if compression not in _UNCOMPRESSED or bits not in (1, 4, 8, 16, 24, 32):
        raise RejectedImage(
            "unsupported_format",
            f"is a BMP of {bits} bits and compression {compression}; uncompressed ones of 1 to 32 bits are taken",
            header,
        )
    if compression == _MASKED:
        _refuse_masks(data, size, bits, header)
    elif bits <= 8:
        _refuse_greys(data, size, bits, header)
    needed = start + (width * bits + 31) // 32 * 4 * abs(height)
    if len(data) < needed:
        raise RejectedImage("truncated", f"the BMP file has {len(data)} bytes, and its rows end at {needed}", header)
    return ImageFile(header, data)


def _refuse_masks(data: bytes, size: int, bits: int, header: Header) -> None:
    """Pillow would tell masks that it does not know as damage."""
    if len(data) < 70:
        raise RejectedImage("truncated", "the BMP file ends inside its masks", header)
    *colours, alpha = struct.unpack_from("<4I", data, 54)  # in the header, or right behind one of 40 bytes
    masks = (*colours, alpha if size >= 56 and bits == 32 else 0)
    if masks not in _MASKS.get(bits, ()):
        named = ", ".join(f"{mask:#x}" for mask in masks)
        raise RejectedImage(
            "unsupported_format",
            f"is a BMP of {bits} bits with the masks {named}; taken are 5-5-5 and 5-6-5 of 16 bits, and 8 bits a colour in the order BGR, "
            "BGRX, BGRA, RGBA, XBGR, ABGR, BGXR or BGAR",
            header,
        )


def _refuse_greys(data: bytes, size: int, bits: int, header: Header) -> None:
    """Pillow takes no notice of a palette that it holds for the usual greys, nor of how many bits its pixels have then."""
    each = 3 if size == 12 else 4
    colours = (struct.unpack_from("<I", data, 46)[0] if size > 12 else 0) or 1 << bits
    if colours > 1 << bits:
        return
    greys = [0, 255] if colours == 2 else range(colours)
    palette = data[14 + size : 14 + size + each * colours]
    usual = all(palette[each * place : each * place + 3] == bytes([grey]) * 3 for place, grey in enumerate(greys))
    if usual and bits != (1 if colours == 2 else 8):
        raise RejectedImage(
            "unsupported_format",
            f"is a BMP of {bits} bits with a palette of {colours} greys from 0 on; such palettes are taken with all {1 << bits} colours at 1 "
            "and 8 bits",
            header,
        )
