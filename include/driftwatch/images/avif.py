"""AVIF: boxes and AV1 headers looked through. libavif makes room for any picture of up to 16,384 x 16,384 pixels whatever the file's boxes
say, and Pillow reads EXIF as it stands.

Sources: ISO/IEC 14496-12 and 23008-12 (boxes), AV1 Bitstream & Decoding Process Specification, section 5.5 (sequence header).
"""

from __future__ import annotations

from typing import NamedTuple

from driftwatch.images.headers import Check, Header, ImageFile, RejectedImage, damaged, too_many_parts

_MOST_BOXES = 2_000  # and items, and parts of an item
_PICTURES = (b"av01", b"grid")
_SEQUENCE = 1  # the kind of OBU
# EXIF's orientation, by irot's angle and imir's axis; None for no mirror.
_TURNED = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
}  # fmt: skip


class _Box(NamedTuple):
    kind: bytes
    start: int
    end: int


def read_avif(data: bytes, check: Check) -> ImageFile:
    """The picture's size is what its box says, and no AV1 picture of the file may be larger. EXIF is hidden from the decoder: turning and
    mirroring have boxes of their own."""
    from PIL import features

    if not features.check("avif"):
        raise RejectedImage("unsupported_format", "is AVIF, which the Pillow that is installed here does not read")
    try:
        return _Avif(data).read(check)
    except IndexError:
        raise RejectedImage("truncated", "the AVIF file ends inside its header") from None


class _Avif:
    def __init__(self, data: bytes) -> None:
        self.data = data
        meta = next((box for box in self._boxes(0, len(data)) if box.kind == b"meta"), None)
        if meta is None:
            raise RejectedImage("not_an_image", "the AVIF file has no meta box")
        self.meta = {box.kind: box for box in self._boxes(meta.start + 4, meta.end)}
        if missing := {b"pitm", b"iinf", b"iloc", b"iprp"} - {*self.meta}:
            raise RejectedImage("not_an_image", f"the AVIF file has no {min(missing).decode()} box")

    def read(self, check: Check) -> ImageFile:
        wide = self.data[self.meta[b"pitm"].start] > 0
        primary, _ = self._number(self.meta[b"pitm"].start + 4, 4 if wide else 2)
        kinds, hidden = self._items()
        properties = self._properties(primary)
        width, height = (
            (self._number(properties[b"ispe"].start + at, 4)[0] for at in (4, 8)) if b"ispe" in properties else (0, 0)
        )
        header = Header("AVIF", width, height)
        check(header)
        if kinds.get(primary) not in _PICTURES:
            raise RejectedImage(
                "unsupported_format", f"is an AVIF whose picture is of the kind {kinds.get(primary)!r}", header
            )
        places = self._places(header)
        for item, kind in kinds.items():
            if kind == b"av01":
                self._refuse_large(b"".join(self.data[start:end] for start, end in places.get(item, ())), header)
        angle = self.data[properties[b"irot"].start] & 3 if b"irot" in properties else 0
        axis = self.data[properties[b"imir"].start] & 1 if b"imir" in properties else None
        return ImageFile(header, hidden, _TURNED[angle, axis])

    def _number(self, at: int, size: int) -> tuple[int, int]:
        """A number, and where it ends."""
        if at + size > len(self.data):
            raise RejectedImage("truncated", "the AVIF file ends inside its header")
        return int.from_bytes(self.data[at : at + size], "big"), at + size

    def _boxes(self, at: int, end: int) -> list[_Box]:
        found: list[_Box] = []
        while at + 8 <= end:
            length, start = self._number(at, 4)
            kind, start = self.data[start : start + 4], start + 4
            if length == 1:
                length, start = self._number(start, 8)
            stop = end if length == 0 else at + length
            if stop < start:
                raise RejectedImage("not_an_image", f"the AVIF file has a box of {length} bytes")
            if stop > end:
                raise RejectedImage("truncated", f"the AVIF file ends inside its box {kind!r}")
            found.append(_Box(kind, start, stop))
            if len(found) > _MOST_BOXES:
                raise too_many_parts(self.data, "AVIF", None)
            at = stop
        return found

    def _items(self) -> tuple[dict[int, bytes], bytes]:
        """The kind of each item; and the file without its EXIF items, which get a kind that nobody knows."""
        box, found, hidden = self.meta[b"iinf"], dict[int, bytes](), bytearray(self.data)
        for entry in self._boxes(box.start + (8 if self.data[box.start] else 6), box.end):
            version = self.data[entry.start]
            item, at = self._number(entry.start + 4, 4 if version > 2 else 2)
            at += 2  # the index of its protection
            found[item] = self.data[at : at + 4]
            if found[item] == b"Exif":
                hidden[at : at + 4] = b"skip"
        return found, bytes(hidden)

    def _properties(self, item: int) -> dict[bytes, _Box]:
        """What is said of an item."""
        inside = {box.kind: box for box in self._boxes(self.meta[b"iprp"].start, self.meta[b"iprp"].end)}
        if b"ipco" not in inside or b"ipma" not in inside:
            raise RejectedImage("not_an_image", "the AVIF file says nothing of its picture")
        known, box = self._boxes(inside[b"ipco"].start, inside[b"ipco"].end), inside[b"ipma"]
        wide, long = self.data[box.start + 3] & 1, self.data[box.start] > 0
        entries, at = self._number(box.start + 4, 4)
        for _ in range(min(entries, _MOST_BOXES)):
            owner, at = self._number(at, 4 if long else 2)
            count, at = self._number(at, 1)
            numbers = []
            for _ in range(count):
                number, at = self._number(at, 2 if wide else 1)
                numbers.append(number & (0x7FFF if wide else 0x7F))
            if owner == item:
                return {known[number - 1].kind: known[number - 1] for number in numbers if 0 < number <= len(known)}
        return {}

    def _places(self, header: Header) -> dict[int, list[tuple[int, int]]]:
        """Where the bytes of each item lie: all of them must be in the file."""
        box, found = self.meta[b"iloc"], dict[int, list[tuple[int, int]]]()
        version, sizes = self.data[box.start], self.data[box.start + 4 : box.start + 6]
        of_offset, of_length, of_base, of_index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15
        items, at = self._number(box.start + 6, 4 if version > 1 else 2)
        for _ in range(min(items, _MOST_BOXES)):
            item, at = self._number(at, 4 if version > 1 else 2)
            inside = 0
            if version:
                inside, at = self._number(at, 2)
            _, at = self._number(at, 2)  # in which file: this one
            base, at = self._number(at, of_base)
            count, at = self._number(at, 2)
            if count > _MOST_BOXES:
                raise too_many_parts(self.data, "AVIF", header)
            if inside & 15 == 1 and b"idat" in self.meta:
                base += self.meta[b"idat"].start
            for _ in range(count):
                at += of_index if version else 0
                offset, at = self._number(at, of_offset)
                length, at = self._number(at, of_length)
                start = base + offset
                if start + length > len(self.data):
                    raise RejectedImage("truncated", "the AVIF file ends before its picture does", header)
                found.setdefault(item, []).append((start, start + length if length else len(self.data)))
        return found

    def _refuse_large(self, coded: bytes, header: Header) -> None:
        """`coded`: the OBUs of one AV1 picture, one of which says its size."""
        at, sequences = 0, 0
        for _ in range(_MOST_BOXES):
            if at >= len(coded):
                break
            kind, extended, sized = coded[at] >> 3 & 15, coded[at] >> 2 & 1, coded[at] >> 1 & 1
            at += 1 + extended
            length = len(coded) - at
            if sized:
                length, at = _leb128(coded, at)
            if at + length > len(coded):
                raise damaged(header, "AVIF", "an OBU is longer than its picture")
            if kind == _SEQUENCE:
                sequences += 1
                width, height = _largest(coded[at : at + length], header)
                if width * height > 4 * max(header.width * header.height, 64 * 64):
                    raise RejectedImage(
                        "too_complex",
                        f"is an AVIF of {header.width} x {header.height} pixels that holds one of {width} x {height}",
                        header,
                    )
            at += length
        if not sequences:
            raise damaged(header, "AVIF", "it has no AV1 picture")


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(8):
        value |= (data[at + place] & 0x7F) << 7 * place
        if data[at + place] < 0x80:
            return value, at + place + 1
    raise IndexError


def _largest(sequence: bytes, header: Header) -> tuple[int, int]:
    """The largest picture that may follow a sequence header: of a still one what it says, of others as much as its numbers hold."""
    bits = f"{int.from_bytes(sequence[:64], 'big'):0{len(sequence[:64]) * 8}b}"
    at = 0

    def number(count: int) -> int:
        nonlocal at
        at += count
        if at > len(bits):
            raise damaged(header, "AVIF", "its AV1 header is cut short")
        return int(bits[at - count : at] or "0", 2)

    number(4)
    still = number(1)  # reduced_still_picture_header
    if still:
        number(5)
    else:
        if number(1):
            raise RejectedImage("unsupported_format", "is an AVIF with the times of a video in it", header)
        delays = number(1)
        for _ in range(number(5) + 1):
            number(12)
            if number(5) > 7:
                number(1)
            if delays and number(1):
                number(4)
    of_width, of_height = number(4) + 1, number(4) + 1
    width, height = number(of_width) + 1, number(of_height) + 1
    return (width, height) if still else (1 << of_width, 1 << of_height)
