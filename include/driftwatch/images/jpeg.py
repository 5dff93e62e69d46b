"""JPEG: the file looked through marker by marker, and decoded so that damage is seen.

libjpeg fills what is missing or damaged with grey or noise and only warns. simplejpeg is libjpeg-turbo with these warnings as
errors; what it warns of although every pixel is there (metadata, padding) is taken away before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from driftwatch.images.entropy import rows_held
from driftwatch.images.headers import (
    NO_END_MARK,
    Check,
    Header,
    ImageFile,
    RejectedImage,
    damaged,
    most_parts,
    orientation,
    too_many_parts,
)

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig

# Each scan of a progressive file is a pass over all its pixels, even if it takes a few bytes. Encoders write ten or so, those
# that search for the smallest file some twenty; 50 scans of 50 million pixels take about three seconds.
MOST_SCANS = 50
# Any marker but restart marks and, within picture data, the stuffed 0xFF00; repeated 0xFF are fill bytes.
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")
_MARKERS = frozenset(range(2, 0xFF)) - frozenset(range(0xD0, 0xD8))
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES = frozenset({0xC4, 0xDB, 0xDD})
_BASELINE, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
# Application segments and comments; the decoder needs the first and the one of Adobe, which say how colours are stored.
_METADATA = frozenset({*range(0xE1, 0xF0), 0xFE}) - {0xEE}
_WHOLE = b"\0\x3f\0"  # a scan's parameters: all coefficients, all bits
_HOLE = bytes(64)
_NOTHING = (1,) * 64  # was sent of a component's coefficients
_END_MARK = b"\xff\xd9"


def read_jpeg(data: bytes, check: Check) -> ImageFile:
    """Looks through the file up to the end of its first picture: thumbnails, further pictures and whatever else follows it do not
    count. A missing end mark is put there, and noted; the decoder then finds whether the picture is whole."""
    walk = _Walk(data, check)
    position = 2
    for _ in range(most_parts(data)):
        start = _next_marker(data, position)
        if start is None or data[start + 1] in (_START, _END):
            return walk.ended(start)
        position = walk.segment(start)
    raise too_many_parts(data, "JPEG", walk.header)


def _next_marker(data: bytes, position: int) -> int | None:
    if position + 1 < len(data) and data[position] == 0xFF and data[position + 1] in _MARKERS:
        return position  # segments follow each other; a search costs more than all else that is done with one
    found = _MARKER.search(data, position)
    return found.start() if found else None


class _Frame(NamedTuple):
    """The frame header: its place in what the decoder gets, the kind by its marker, and the components' names."""

    place: int
    kind: int
    components: bytes


class _Walk:
    """What was found so far of a file."""

    def __init__(self, data: bytes, check: Check) -> None:
        self._data, self._check = data, check
        self._kept: list[bytes | memoryview] = []  # what the decoder gets of data[: self._taken], in pieces
        self._length = self._taken = 0
        self._frame: _Frame | None = None
        self._sent: dict[
            int, tuple[int, ...]
        ] = {}  # by component: how many low bits of each coefficient are still to come
        self._orientation: int | None = None
        self.header: Header | None = None
        self.scans = 0

    def segment(self, start: int) -> int:
        """Takes in the segment of the marker at `start`; where the next may begin."""
        kind = self._data[start + 1]
        end = start + 2 + max(2, int.from_bytes(self._data[start + 2 : start + 4], "big"))
        if end > len(self._data):
            where = "after a part of its picture data" if self.scans else "inside its header"
            raise RejectedImage("truncated", f"the JPEG file ends {where}", self.header)
        if kind in _TABLES:
            return end
        payload = self._data[start + 4 : end]
        if kind in _METADATA and not self.scans:
            self._keep_up_to(start)
            self._taken = end
            if kind == 0xE1 and payload.startswith(b"Exif\0\0") and self._orientation is None:
                self._orientation = orientation(payload)
        elif kind == 0xE0 and payload.startswith(b"JFIF\0") and payload[5:6] != b"\1":
            self._replace(start + 9, b"\1")  # another revision of JFIF is a warning, which would hide those that matter
        elif kind in _FRAMES:
            self._take_frame(kind, payload, self._length + start - self._taken)
        elif kind == _SCAN:
            self._take_scan(payload, end)
        return end

    def ended(self, marker: int | None) -> ImageFile:
        """The picture ends at the marker there, or with the file."""
        if self.header is None or not self.scans or self._frame is None:
            if marker is None:
                raise RejectedImage("truncated", "the JPEG file ends inside its header", self.header)
            raise RejectedImage("not_an_image", "the JPEG file has no picture data", self.header)
        has_end = marker is not None and self._data[marker + 1] == _END
        end = len(self._data.rstrip(b"\xff")) if marker is None else marker  # without half an end mark
        return ImageFile(
            self.header,
            self._needed_up_to(end, has_end),
            self._orientation or 1,
            "" if has_end else NO_END_MARK,
            self.scans,
            not any(map(any, self._sent.values())),
            self._frame.place,
        )

    def _needed_up_to(self, end: int, has_end: bool) -> bytes:
        """What the decoder gets, with an end mark."""
        if has_end and not self._taken:
            return self._data[: end + 2]  # not even copied, where nothing follows
        self._keep_up_to(end)
        return b"".join((*self._kept, _END_MARK))

    def _keep_up_to(self, end: int) -> None:
        if end > self._taken:
            self._kept.append(memoryview(self._data)[self._taken : end])
            self._length += end - self._taken
            self._taken = end

    def _replace(self, place: int, value: bytes) -> None:
        self._keep_up_to(place)
        self._kept.append(value)
        self._length += len(value)
        self._taken += len(value)

    def _take_frame(self, kind: int, payload: bytes, place: int) -> None:
        if self._frame:
            raise RejectedImage("truncated", "the JPEG file has two frame headers", self.header)
        if len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
            raise RejectedImage("not_an_image", "the JPEG file's frame header is too short")
        self.header = Header("JPEG", payload[3] << 8 | payload[4], payload[1] << 8 | payload[2], payload[5])
        self._check(self.header)
        _refuse_unsupported(kind, payload[0], self.header)
        self._frame = _Frame(place, kind, payload[6 : 6 + 3 * payload[5] : 3])
        self._sent = dict.fromkeys(self._frame.components, _NOTHING)

    def _take_scan(self, payload: bytes, end: int) -> None:
        if not self._frame:
            raise RejectedImage("not_an_image", "the JPEG file has picture data but no frame header")
        if len(payload) < 6 or len(payload) != 4 + 2 * payload[0]:
            raise damaged(self.header, "JPEG", "a scan's header is wrong")
        self.scans += 1
        if self.scans > MOST_SCANS:
            raise RejectedImage("too_complex", f"the JPEG file has more than {MOST_SCANS} scans", self.header)
        first, last, low = payload[-3], payload[-2], payload[-1] & 15
        if self._frame.kind != _PROGRESSIVE:
            first, last, low = 0, 63, 0  # some cameras write something else here, and no decoder minds
            if payload[-3:] != _WHOLE:
                self._replace(end - 3, _WHOLE)
        for name in payload[1:-3:2]:
            if name in self._sent and first <= last <= 63:
                before = self._sent[name]
                self._sent[name] = (*before[:first], *(low,) * (last + 1 - first), *before[last + 1 :])


def _refuse_unsupported(kind: int, bits: int, header: Header) -> None:
    """What neither browsers nor, mostly, decoders know."""
    if kind in (*_BASELINE, _PROGRESSIVE) and bits == 8 and header.channels in (1, 3, 4):
        return
    if kind in (0xC3, 0xC7, 0xCB, 0xCF):
        what = "a lossless JPEG"
    elif kind > 0xC8:
        what = "an arithmetic-coded JPEG"
    elif bits != 8:
        what = f"a JPEG of {bits} bits a sample"
    elif kind not in (*_BASELINE, _PROGRESSIVE):
        what = "a hierarchical JPEG"
    else:
        what = f"a JPEG of {header.channels} colour components"
    accepted = "accepted are baseline and progressive JPEGs of 8 bits in grey, colour or CMYK"
    raise RejectedImage("unsupported_format", f"is {what}; {accepted}", header)


def decode_jpeg(file: ImageFile, limits: ImagesConfig) -> tuple[np.ndarray, str]:
    """The picture as it is stored, uint8 [height, width, 3], and the note on it.

    With `images.damaged: accept` a file that was cut short gives the rows that it holds, nothing else.
    """
    header = file.header
    if not file.complete:
        raise damaged(header, "JPEG", "the scans with its finest details are missing")
    try:
        return pixels(file.data, header), file.note
    except Warned as warned:
        if warned.odd_sampling:
            return _of_odd_sampling(file), file.note
        if warned.left_over:
            try:
                return pixels(_without_padding(file.data), header), file.note
            except Warned:
                pass  # what is left over, or zeros that were taken away, stand for picture data
        if limits.damaged == "quarantine" or not warned.ran_out:
            raise damaged(header, "JPEG", warned) from warned
        return _upper_rows(file, limits)


def _without_padding(data: bytes) -> bytes:
    """Without the zeros before the end mark, with which some cameras fill a file up."""
    kept = data.removesuffix(_END_MARK).rstrip(b"\0")
    return kept + (b"\0" if kept.endswith(b"\xff") else b"") + _END_MARK  # 0xFF00 stands for 0xFF


class Warned(Exception):
    """libjpeg's first warning, or its error."""

    @property
    def odd_sampling(self) -> bool:
        return "subsampling" in str(self)

    @property
    def left_over(self) -> bool:
        return "extraneous bytes before marker" in str(self)

    @property
    def ran_out(self) -> bool:
        """Whether the data ended too soon: within a block, or where the mark of a restart was due."""
        return "premature end of data segment" in str(self) or "found marker 0xd9 instead of RST" in str(self)


def pixels(data: bytes, header: Header, strict: bool = True) -> np.ndarray:
    """A JPEG's pixels as they are stored, uint8 [height, width, 3]; raises Warned for what libjpeg warns of, unless not `strict`."""
    cmyk = header.channels == 4
    room = np.empty((header.height, header.width, 4 if cmyk else 3), np.uint8)
    try:
        found = simplejpeg.decode_jpeg(data, "CMYK" if cmyk else "RGB", buffer=room, strict=strict)
    except ValueError as error:
        raise Warned(str(error)) from error
    if found.shape != room.shape:
        raise Warned(f"the decoder finds {found.shape[1]} x {found.shape[0]} pixels")
    return _rgb_of_cmyk(found) if cmyk else found


def _rgb_of_cmyk(cmyk: np.ndarray) -> np.ndarray:
    """As Pillow does it: CMYK JPEGs are inverted, as Adobe writes them."""
    rgb = np.empty((*cmyk.shape[:2], 3), np.uint8)
    for top in range(0, len(cmyk), 256):
        part = cmyk[top : top + 256]
        image = Image.frombuffer("CMYK", (part.shape[1], len(part)), part.tobytes(), "raw", "CMYK;I", 0, 1)
        rgb[top : top + 256] = np.asarray(image.convert("RGB"))
    return rgb


def _of_odd_sampling(file: ImageFile) -> np.ndarray:
    """Of combinations of sampling factors that simplejpeg does not know; OpenCV knows some more, but says nothing of damage."""
    header = file.header
    rgb = cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if rgb is None or rgb.shape[:2] != (header.height, header.width):
        raise damaged(header, "JPEG", "its sampling factors are not supported")
    if file.scans == 1 and rows_held(file) != header.height:
        raise damaged(header, "JPEG", "its picture data are wrong or end too soon")
    return rgb


def _upper_rows(file: ImageFile, limits: ImagesConfig) -> tuple[np.ndarray, str]:
    """The rows that a file that was cut short holds, decoded under a header that asks for no more; whole rows of blocks count."""
    header = file.header
    file = file._replace(data=_without_padding(file.data))
    # Zeros in the middle, as of a disk's block that was never written, can be read as codes, and what follows them as noise.
    rows = None if _HOLE in file.data[file.frame :] else rows_held(file)
    if rows is None:
        raise damaged(header, "JPEG", "its picture data come in several scans, or are wrong before they end")
    held = f"the file holds the upper {rows} of {header.height} rows"
    if 1 - rows / header.height > limits.max_missing_share or rows < limits.min_side:
        share = f"images.max_missing_share is {limits.max_missing_share}, images.min_side {limits.min_side}"
        raise damaged(header, "JPEG", f"{held}; {share}")
    height = file.frame + 5
    fewer = file.data[:height] + rows.to_bytes(2, "big") + file.data[height + 2 :]
    try:
        picture = pixels(fewer, header._replace(height=rows), strict=False)  # the rows below are left over
    except Warned as error:
        raise damaged(header, "JPEG", error) from error
    return picture, f"cut_short: {held}; the others are left out"
