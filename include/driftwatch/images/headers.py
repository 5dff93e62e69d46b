"""What a file says about itself in its first bytes: format and size, read without decoding a pixel.

The limits on pixels are checked against this, before a decoder allocates anything. Sources: ITU-T T.81 annex B (JPEG
markers), the PNG specification 11.2.2 (IHDR), RFC 9649 (WebP).
"""

from __future__ import annotations

from typing import NamedTuple

from driftwatch.errors import DriftwatchError

_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})

# Recognised only to say "unsupported" rather than "not an image": (offset, bytes, name).
_OTHER_FORMATS = (
    (0, b"GIF8", "GIF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"BM", "BMP"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\x01\0", "ICO"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
)

REASON_KINDS = (
    "empty",
    "too_many_bytes",
    "not_an_image",
    "unsupported_format",
    "too_many_pixels",
    "too_small",
    "truncated",
    "unreadable",
    "not_a_file",
    "unsafe_name",
    "still_growing",
)


class RejectedImage(DriftwatchError):
    """A file that can't be used as an image.

    `kind` is one of REASON_KINDS (`unreadable`: storage gives the bytes of others, not these); `header` is what the file says of itself,
    where that could be read.
    """

    def __init__(self, kind: str, message: str, header: Header | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.header = header


class Header(NamedTuple):
    """Format (JPEG, PNG or WEBP) and stored size in pixels, before any EXIF rotation; `channels` is known for JPEG only."""

    format: str
    width: int
    height: int
    channels: int | None = None


def read_header(data: bytes) -> Header:
    """Reads format and size by content, never by name.

    Raises RejectedImage: `not_an_image`, `unsupported_format`, or `truncated` where the file ends too early.
    """
    if data.startswith(b"\xff\xd8\xff"):
        header = _jpeg(data)
    elif data.startswith(_PNG):
        header = _png(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        header = _webp(data)
    else:
        for offset, magic, name in _OTHER_FORMATS:
            if data.startswith(magic, offset):
                raise RejectedImage("unsupported_format", f"is {name}; accepted are JPEG, PNG and WebP")
        raise RejectedImage("not_an_image", f"begins with {data[:8]!r}, which is no JPEG, PNG or WebP file")
    if not header.width or not header.height:
        raise RejectedImage("not_an_image", f"the {header.format} header says {header.width} x {header.height} pixels")
    return header


def _jpeg(data: bytes) -> Header:
    header = None
    position = 2
    while True:
        # Like libjpeg: stray bytes before a marker and fill bytes (0xFF) are skipped.
        position = data.find(b"\xff", position)
        while 0 <= position < len(data) - 1 and data[position + 1] == 0xFF:
            position += 1
        if position < 0 or position + 4 > len(data):
            raise RejectedImage("truncated", "the JPEG file ends inside its header", header)
        marker = data[position + 1]
        if marker in _STANDALONE or marker == 0x00:
            position += 2
            continue
        if marker == 0xD9:
            raise RejectedImage("not_an_image", "the JPEG file has no picture data", header)
        if marker in _START_OF_FRAME:
            if position + 10 > len(data):
                raise RejectedImage("truncated", "the JPEG file ends inside its header", header)
            height, width = (int.from_bytes(data[position + i : position + i + 2], "big") for i in (5, 7))
            header = Header("JPEG", width, height, data[position + 9])
        if marker == 0xDA:
            break
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    if header is None:
        raise RejectedImage("not_an_image", "the JPEG file has picture data but no frame header")
    # Inside picture data 0xFF is followed by 0x00 or a restart marker, so this can only be the end mark. OpenCV fills what
    # is missing with grey and says nothing.
    if data.rfind(b"\xff\xd9", position) < 0:
        raise RejectedImage("truncated", "the JPEG file ends before its end-of-image mark", header)
    return header


def _png(data: bytes) -> Header:
    if len(data) < 33:
        raise RejectedImage("truncated", "the PNG file ends inside its header")
    if data[12:16] != b"IHDR":
        raise RejectedImage("not_an_image", "the PNG file does not begin with an IHDR chunk")
    return Header("PNG", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _webp(data: bytes) -> Header:
    if len(data) < 30:
        raise RejectedImage("truncated", "the WebP file ends inside its header")
    chunk = data[12:16]
    if chunk == b"VP8X":
        width, height = (1 + int.from_bytes(data[i : i + 3], "little") for i in (24, 27))
    elif chunk == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (26, 28))
    else:
        raise RejectedImage("not_an_image", "the WebP file has no VP8, VP8L or VP8X picture")
    header = Header("WEBP", width, height)
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise RejectedImage("truncated", "the WebP file is shorter than its header says", header)
    return header
