"""PNG: the file is looked through chunk by chunk.

Pillow does not check the checksums of picture data, and it unpacks colour profiles and texts. So Pillow is given the picture alone.
"""

from __future__ import annotations

import struct
import zlib

from driftwatch.images.headers import (
    Check,
    Header,
    ImageFile,
    RejectedImage,
    damaged,
    most_parts,
    orientation,
    too_many_parts,
)

NO_END_MARK = "no_end_mark: the picture is whole, but the file ends without its IEND chunk"


def read_png(data: bytes, check: Check) -> ImageFile:
    """Looks through the chunks up to IEND, checks their checksums, and keeps those of the picture; of an animation that is the first
    frame. If IEND is missing it is added, with a note; the decoder then finds out whether the picture is whole."""
    if len(data) < 33:
        raise RejectedImage("truncated", "the PNG file ends inside its header")
    if data[12:16] != b"IHDR":
        raise RejectedImage("not_an_image", "the PNG file does not begin with an IHDR chunk")
    header = Header("PNG", *struct.unpack(">II", data[16:24]))
    check(header)
    kept: list[bytes] = []
    picture: list[bytes] = []
    turned, note, position = 1, NO_END_MARK, 8
    for _ in range(most_parts(data)):
        name, content, position = _chunk(data, position, header, bool(picture))
        if name in (b"IHDR", b"PLTE", b"tRNS"):
            kept.append(_packed(name, content))
        elif name == b"IDAT":
            picture.append(content)
        elif name == b"eXIf":
            turned = orientation(content)
        elif name in (b"IEND", b""):
            note = "" if name else note
            break
    else:
        raise too_many_parts(data, "PNG", header)
    if not picture:
        raise RejectedImage("not_an_image", "the PNG file has no picture data", header)
    kept += [_packed(b"IDAT", b"".join(picture)), _packed(b"IEND", b"")]
    return ImageFile(header, data[:8] + b"".join(kept), turned, note)


def _chunk(data: bytes, position: int, header: Header, has_picture: bool) -> tuple[bytes, bytes, int]:
    """Name and content of the chunk at `position`, and where the next one begins. The name is empty if the file ends after its picture
    data: in another chunk, or in the checksum of the last one."""
    length, name = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
    end = position + 8 + length
    content = data[position + 8 : end]
    if len(data) >= end + 4 and len(name) == 4:
        if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT") and zlib.crc32(name + content) != _sum(data, end):
            raise damaged(header, "PNG", f"the sum of an {name.decode()} chunk is wrong")
        return name, content, end + 4
    if name == b"IDAT" and len(content) == length:
        return name, content, len(data)
    if has_picture and name != b"IDAT":
        return b"", b"", len(data)
    raise RejectedImage("truncated", "the PNG file ends before its picture does", header)


def _sum(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 4], "big")


def _packed(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
