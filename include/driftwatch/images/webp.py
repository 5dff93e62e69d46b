"""WebP: the file looked through chunk by chunk."""

from __future__ import annotations

from driftwatch.images.headers import Check, Header, ImageFile, RejectedImage, most_parts, orientation, too_many_parts


def read_webp(data: bytes, check: Check) -> ImageFile:
    """Looks through the chunks of the file. The file must hold a picture of the size that its header says: a decoder makes room for
    that size before it looks for a picture. Of an animation the first frame counts."""
    if len(data) < 30:
        raise RejectedImage("truncated", "the WebP file ends inside its header")
    extended = data[12:16] == b"VP8X"
    width, height = _canvas(data) if extended else _size(data, 12)
    header = Header("WEBP", width, height)
    check(header)
    end = int.from_bytes(data[4:8], "little") + 8
    if end > len(data):
        raise RejectedImage("truncated", "the WebP file is shorter than its header says", header)
    turned, found, position = 1, None, 12
    for _ in range(most_parts(data)):
        if position + 8 > end:
            break
        name, length = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if position + 8 + length > end:
            raise RejectedImage("truncated", "a chunk of the WebP file is longer than the file", header)
        if name == b"EXIF":
            turned = orientation(data[position + 8 : position + 8 + length])
        elif found is None and name in (b"VP8 ", b"VP8L"):
            found = _size(data, position)
        elif found is None and name == b"ANMF" and length >= 24:
            found = _frame(data, position, header)
        position += 8 + length + length % 2
    else:
        raise too_many_parts(data, "WebP", header)
    if found != (width, height):
        raise RejectedImage(
            "not_an_image", f"the WebP file says {width} x {height} pixels but holds no such picture", header
        )
    return ImageFile(header, data, turned)


def _canvas(data: bytes) -> tuple[int, int]:
    return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")


def _frame(data: bytes, position: int, header: Header) -> tuple[int, int]:
    """The canvas, where the animation's first frame lies within it."""
    left, top, width, height = (
        int.from_bytes(data[position + 8 + i : position + 11 + i], "little") for i in (0, 3, 6, 9)
    )
    inside = 2 * left + width + 1 <= header.width and 2 * top + height + 1 <= header.height
    return (header.width, header.height) if inside else (width + 1, height + 1)


def _size(data: bytes, position: int) -> tuple[int, int]:
    """What the picture in the VP8 or VP8L chunk at `position` says of its size."""
    name, content = data[position : position + 4], data[position + 8 : position + 18]
    if name == b"VP8L" and content[:1] == b"\x2f":
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if name == b"VP8 " and content[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(content[6:8], "little") & 0x3FFF, int.from_bytes(content[8:10], "little") & 0x3FFF
    raise RejectedImage("not_an_image", "the WebP file has no VP8, VP8L or VP8X picture")
