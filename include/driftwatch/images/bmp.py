"""BMP: the header looked through. Only uncompressed pictures are taken: Pillow unpacks the others in a loop of Python."""

from __future__ import annotations

import struct

from driftwatch.images.headers import Check, Header, ImageFile, RejectedImage

_UNCOMPRESSED = (0, 3, 6)  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS


def read_bmp(data: bytes, check: Check) -> ImageFile:
    """The file must hold all rows that its header names. Damage within them cannot be told: a BMP has no sums."""
    if len(data) < 26:
        raise RejectedImage("truncated", "the BMP file ends inside its header")
    start, size = struct.unpack_from("<II", data, 10)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    elif size >= 40 and len(data) >= 54:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise RejectedImage("not_an_image", f"the BMP file has a header of {size} bytes; 12 and 40 to 124 are known")
    header = Header("BMP", max(width, 0), abs(height))  # rows from the top have a negative height
    check(header)
    if compression not in _UNCOMPRESSED or bits not in (1, 4, 8, 16, 24, 32):
        raise RejectedImage(
            "unsupported_format",
            f"is a BMP of {bits} bits and compression {compression}; uncompressed ones of 1 to 32 bits are taken",
            header,
        )
    needed = start + (width * bits + 31) // 32 * 4 * abs(height)
    if len(data) < needed:
        raise RejectedImage("truncated", f"the BMP file has {len(data)} bytes, and its rows end at {needed}", header)
    return ImageFile(header, data)
