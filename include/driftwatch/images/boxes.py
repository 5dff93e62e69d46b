"""The boxes of an AVIF or HEIC file, and what they say of its pictures. Nothing is decoded.

Sources: ISO/IEC 14496-12 (boxes) and 23008-12 (items and properties of pictures).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from driftwatch.images.headers import Header, RejectedImage, damaged, too_many_parts

MOST_BOXES = 2_000  # and items, and parts of an item
GRID = b"grid"
_NO_PICTURE = (b"Exif", b"mime")
_NEEDED = {b"pitm", b"iinf", b"iloc", b"iprp"}


class Box(NamedTuple):
    """Where the content of a box begins and ends."""

    kind: bytes
    start: int
    end: int


class Bits:
    """The bits of a codec's header, read one after the other. Raises RejectedImage (`truncated`) at their end."""

    def __init__(self, data: bytes, header: Header, codec: str) -> None:
        self._bits, self._at = f"{int.from_bytes(data, 'big'):0{len(data) * 8}b}", 0
        self._header, self._codec = header, codec

    def number(self, count: int) -> int:
        """The number in the next `count` bits."""
        self._at += count
        if self._at > len(self._bits):
            raise damaged(self._header, self._header.format, f"its {self._codec} header is cut short")
        return int(self._bits[self._at - count : self._at] or "0", 2)


class Boxes:
    """A file's boxes. `name`: of its format, for messages. `kinds`: of each item, by its number. `properties`: what is said of each item.
    `primary`: the number of the picture. `hidden`: the file, with its EXIF and XMP items given a kind that no decoder knows: decoders read them
    as they stand.

    Raises RejectedImage (`not_an_image`, `truncated`, `too_complex`).
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name
        self.outer = self.boxes(0, len(data))
        meta = next((box for box in self.outer if box.kind == b"meta"), None)
        if meta is None:
            raise RejectedImage("not_an_image", f"the {name} file has no meta box")
        self.meta = {box.kind: box for box in self.boxes(meta.start + 4, meta.end)}
        if missing := _NEEDED - {*self.meta}:
            raise RejectedImage("not_an_image", f"the {name} file has no {min(missing).decode()} box")
        wide = data[self.meta[b"pitm"].start] > 0
        self.primary, _ = self.number(self.meta[b"pitm"].start + 4, 4 if wide else 2)
        self.kinds, self.hidden = self._items()
        self.properties = self._properties()

    def of_primary(self) -> Mapping[bytes, Box]:
        return self.properties.get(self.primary, {})

    def size_of(self, item: int) -> tuple[int, int]:
        """Width and height of an item as its box says; zeros where there is none."""
        box = self.properties.get(item, {}).get(b"ispe")
        return (0, 0) if box is None else (self.number(box.start + 4, 4)[0], self.number(box.start + 8, 4)[0])

    def number(self, at: int, size: int) -> tuple[int, int]:
        """A number, and where it ends."""
        if at + size > len(self.data):
            raise RejectedImage("truncated", f"the {self.name} file ends inside its header")
        return int.from_bytes(self.data[at : at + size], "big"), at + size

    def boxes(self, at: int, end: int) -> list[Box]:
        """The boxes that lie one after the other from `at` to `end`."""
        found: list[Box] = []
        while at + 8 <= end:
            length, start = self.number(at, 4)
            kind, start = self.data[start : start + 4], start + 4
            if length == 1:
                length, start = self.number(start, 8)
            stop = end if length == 0 else at + length
            if stop < start:
                raise RejectedImage("not_an_image", f"the {self.name} file has a box of {length} bytes")
            if stop > end:
                raise RejectedImage("truncated", f"the {self.name} file ends inside its box {kind!r}")
            found.append(Box(kind, start, stop))
            if len(found) > MOST_BOXES:
                raise too_many_parts(self.data, self.name, None)
            at = stop
        return found

    def _items(self) -> tuple[dict[int, bytes], bytes]:
        box, found, hidden = self.meta[b"iinf"], dict[int, bytes](), bytearray(self.data)
        for entry in self.boxes(box.start + (8 if self.data[box.start] else 6), box.end):
            version = self.data[entry.start]
            item, at = self.number(entry.start + 4, 4 if version > 2 else 2)
            at += 2  # the index of its protection
            found[item] = self.data[at : at + 4]
            if found[item] in _NO_PICTURE:
                hidden[at : at + 4] = b"skip"
        return found, bytes(hidden)

    def _properties(self) -> dict[int, dict[bytes, Box]]:
        inside = {box.kind: box for box in self.boxes(self.meta[b"iprp"].start, self.meta[b"iprp"].end)}
        if b"ipco" not in inside or b"ipma" not in inside:
            raise RejectedImage("not_an_image", f"the {self.name} file says nothing of its picture")
        known, box = self.boxes(inside[b"ipco"].start, inside[b"ipco"].end), inside[b"ipma"]
        wide, long = self.data[box.start + 3] & 1, self.data[box.start] > 0
        entries, at = self.number(box.start + 4, 4)
        found: dict[int, dict[bytes, Box]] = {}
        for _ in range(min(entries, MOST_BOXES)):
            owner, at = self.number(at, 4 if long else 2)
            count, at = self.number(at, 1)
            numbers = []
            for _ in range(count):
                number, at = self.number(at, 2 if wide else 1)
                numbers.append(number & (0x7FFF if wide else 0x7F))
            of_item = {known[number - 1].kind: known[number - 1] for number in numbers if 0 < number <= len(known)}
            found.setdefault(owner, of_item)
        return found

    def places(self, header: Header) -> dict[int, list[tuple[int, int]]]:
        """Where the bytes of each item lie: all of them must be in the file."""
        box, found = self.meta[b"iloc"], dict[int, list[tuple[int, int]]]()
        version, sizes = self.data[box.start], self.data[box.start + 4 : box.start + 6]
        of_offset, of_length, of_base, of_index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15
        items, at = self.number(box.start + 6, 4 if version > 1 else 2)
        most = 2 * len(self.data)  # parts may share bytes, and decoders copy them
        for _ in range(min(items, MOST_BOXES)):
            item, at = self.number(at, 4 if version > 1 else 2)
            inside = 0
            if version:
                inside, at = self.number(at, 2)
            _, at = self.number(at, 2)  # in which file: this one
            base, at = self.number(at, of_base)
            count, at = self.number(at, 2)
            if count > MOST_BOXES:
                raise too_many_parts(self.data, self.name, header)
            if inside & 15 == 1 and b"idat" in self.meta:
                base += self.meta[b"idat"].start
            for _ in range(count):
                at += of_index if version else 0
                offset, at = self.number(at, of_offset)
                length, at = self.number(at, of_length)
                start = base + offset
                if start + length > len(self.data):
                    raise RejectedImage("truncated", f"the {self.name} file ends before its picture does", header)
                end = start + length if length else len(self.data)
                most -= end - start
                if inside & 15 > 1 or most < 0:
                    raise RejectedImage(
                        "too_complex", f"the parts of the {self.name} file's items lie in each other", header
                    )
                found.setdefault(item, []).append((start, end))
        return found

    def bytes_of(self, places: list[tuple[int, int]]) -> bytes:
        return b"".join(self.data[start:end] for start, end in places)

    def references(self, kind: bytes) -> Iterator[tuple[int, list[int]]]:
        """Each item that refers to others so, and to which ones."""
        box = self.meta.get(b"iref")
        if box is None:
            return
        size = 4 if self.data[box.start] else 2
        for reference in self.boxes(box.start + 4, box.end):
            if reference.kind != kind:
                continue
            item, at = self.number(reference.start, size)
            count, at = self.number(at, 2)
            yield item, [self.number(at + size * place, size)[0] for place in range(count)]
