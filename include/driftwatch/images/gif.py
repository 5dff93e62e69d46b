"""GIF: the file looked through block by block. The decoder gets the first frame alone.

Source: GIF89a specification, CompuServe, 1990.
"""

from __future__ import annotations

import struct

from driftwatch.images.headers import (
    NO_END_MARK,
    Check,
    Header,
    ImageFile,
    RejectedImage,
    most_parts,
    too_many_parts,
)

FIRST_FRAME = "first_frame: the file has more frames, and the first one counts"
_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B


def read_gif(data: bytes, check: Check) -> ImageFile:
    """Looks through the blocks up to the end of the first frame, and notes whether another one follows."""
    if len(data) < 13:
        raise RejectedImage("truncated", "the GIF file ends inside its header")
    screen = struct.unpack_from("<HH", data, 6)
    known = Header("GIF", *screen)
    check(known)
    parts = _Parts(data, known, 13 + _table(data[10]))
    if not parts.to_frame():
        raise RejectedImage("not_an_image", "the GIF file has no frame", known)
    header = _frame(parts, screen)
    check(header)
    parts.skip()
    first = data[: parts.at] + bytes([_END])
    try:
        note = FIRST_FRAME if parts.to_frame() else ""
    except RejectedImage as error:  # what comes after the first frame is not looked at
        note = NO_END_MARK if error.kind == "truncated" else ""
    return ImageFile(header, first, note=note)


def _table(flags: int) -> int:
    """The bytes of a colour table, by the flags before it."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _frame(parts: _Parts, screen: tuple[int, int]) -> Header:
    """The picture's size: as Pillow, the screen, or more where the frame is larger."""
    at, data = parts.at, parts.data
    if at + 10 > len(data):
        raise RejectedImage("truncated", "the GIF file ends inside its frame", parts.header)
    left, top, width, height = struct.unpack_from("<HHHH", data, at)
    if not width or not height:
        raise RejectedImage("not_an_image", f"the GIF file has a frame of {width} x {height} pixels", parts.header)
    parts.at = at + 9 + _table(data[at + 8]) + 1
    return Header("GIF", max(screen[0], left + width), max(screen[1], top + height))


class _Parts:
    """A place in the file, which goes on block by block."""

    def __init__(self, data: bytes, header: Header, at: int) -> None:
        self.data, self.header, self.at = data, header, at
        self._left = most_parts(data)

    def to_frame(self) -> bool:
        """Goes on behind the mark of the next frame; whether there is one before the end."""
        while self._left:
            self._left -= 1
            if self.at >= len(self.data):
                raise RejectedImage("truncated", "the GIF file ends before its picture does", self.header)
            kind = self.data[self.at]
            self.at += 1
            if kind != _EXTENSION:
                return kind == _FRAME
            self.at += 1  # what kind of extension
            self.skip()
        raise too_many_parts(self.data, "GIF", self.header)

    def skip(self) -> None:
        """Goes on behind the blocks of data that begin here; the last one is empty. They have 255 bytes each, so they do not count as parts."""
        while True:
            if self.at >= len(self.data):
                raise RejectedImage("truncated", "the GIF file ends before its picture does", self.header)
            length = self.data[self.at]
            self.at += 1 + length
            if not length:
                return
