"""TIFF: the first directory looked through. Pillow would fetch whatever its entries name; libtiff makes room for any size that a tile says.

Source: TIFF 6.0, and the tags of its supplements.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from driftwatch.images.headers import Check, Header, ImageFile, RejectedImage, too_many_parts

FIRST_PAGE = "first_page: the file has more pages, and the first one counts"
# None, CCITT, LZW, deflate (two numbers), PackBits. Not JPEG: libtiff goes on past its damage without a word.
_COMPRESSIONS = {1, 2, 3, 4, 5, 8, 32773, 32946}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIPS, _STRIP_BYTES = 256, 257, 258, 259, 273, 279
_SAMPLES, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _SAMPLE_FORMAT = 277, 322, 323, 324, 325, 339
_PHOTOMETRIC, _FILL_ORDER, _PLANAR, _EXTRA_SAMPLES = 262, 266, 284, 338
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _LAB = 0, 1, 2, 3, 5, 8
# What Pillow reads right. By photometric interpretation and bits: how many colours, and the ExtraSamples that may follow them (0: none that
# counts, 1 and 2: transparency). Others Pillow refuses as damaged, or gives wrong pixels without a word (the tests have each).
_SEVERAL: dict[tuple[int, int], tuple[int, set[tuple[int, ...]]]] = {
    (_BLACK_IS_ZERO, 8): (1, {(2,)}),
    (_PALETTE, 8): (1, {(0,), (2,)}),
    (_RGB, 8): (3, {(), (0,), (1,), (2,), (0, 0), (1, 0), (2, 0), (0, 0, 0), (1, 0, 0), (2, 0, 0), (999,)}),
    (_RGB, 16): (3, {(), (0,), (1,), (2,)}),
    (_CMYK, 8): (4, {(), (0,), (0, 0)}),
    (_CMYK, 16): (4, {()}),
    (_LAB, 8): (3, {()}),
}
_TAKEN = (
    "taken are grey and palettes of 1, 2, 4 and 8 bits, grey of 16 bits with black as 0, grey with alpha of 8 bits, RGB and CMYK of 8 and "
    "16 bits, L*a*b* of 8 bits; of 16 bits in planes compressed ones alone"
)
_MOST_ENTRIES = 1_000
_MOST_SAMPLES = 10


class _Entry(NamedTuple):
    kind: int
    values: int
    at: int


def read_tiff(data: bytes, check: Check) -> ImageFile:
    """Reads size, way of packing, and where the picture's parts lie: all of them must be in the file. Pillow turns the picture as its
    orientation says. Of several pages the first one counts."""
    order = "<" if data[:2] == b"II" else ">"
    if len(data) < 8:
        raise RejectedImage("truncated", "the TIFF file ends inside its header")
    entries, following = _directory(data, order)
    width, height = (_number(data, order, entries, tag, 0) for tag in (_WIDTH, _HEIGHT))
    header = Header("TIFF", width, height)
    check(header)
    _refuse_costly(data, entries, header)
    tile = tuple(_number(data, order, entries, tag, 0) for tag in (_TILE_WIDTH, _TILE_HEIGHT))
    if tile[0] > width + 4096 or tile[1] > height + 4096:
        raise RejectedImage(
            "too_complex", f"is a TIFF of tiles of {tile[0]} x {tile[1]} pixels, larger than it", header
        )
    _refuse_unknown(data, order, entries, header)
    _refuse_cut(data, order, entries, header)
    return ImageFile(header, data, note=FIRST_PAGE if following else "")


def _directory(data: bytes, order: str) -> tuple[dict[int, _Entry], int]:
    """The entries of the first directory by tag, and where the next one lies: 0 for none."""
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    if at + 2 > len(data):
        raise RejectedImage("truncated", "the TIFF file ends before its directory")
    (count,) = struct.unpack_from(f"{order}H", data, at)
    if count > _MOST_ENTRIES:
        raise too_many_parts(data, "TIFF", None)
    end = at + 2 + 12 * count
    if end + 4 > len(data):
        raise RejectedImage("truncated", "the TIFF file ends inside its directory")
    found = {}
    for place in range(at + 2, end, 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, place)
        size = _SIZES.get(kind, 1) * values
        (elsewhere,) = struct.unpack_from(f"{order}I", data, place + 8)
        found[tag] = _Entry(kind, values, place + 8 if size <= 4 else elsewhere)
    (following,) = struct.unpack_from(f"{order}I", data, end)
    return found, following


def _numbers(data: bytes, order: str, entries: dict[int, _Entry], tag: int) -> np.ndarray:
    """Whole numbers as they lie in the file: nothing is copied, however many they are."""
    entry = entries.get(tag)
    if entry is None or entry.kind not in (1, 3, 4):
        return np.empty(0, np.uint8)
    size = _SIZES[entry.kind] * entry.values
    if entry.at + size > len(data):
        raise RejectedImage("truncated", f"the TIFF file ends before the values of its tag {tag}")
    return np.frombuffer(data, f"{order}u{_SIZES[entry.kind]}", entry.values, entry.at)


def _number(data: bytes, order: str, entries: dict[int, _Entry], tag: int, otherwise: int) -> int:
    found = _numbers(data, order, entries, tag)
    return int(found[0]) if len(found) else otherwise


def _refuse_costly(data: bytes, entries: dict[int, _Entry], header: Header) -> None:
    """Entries may share one large value, and each would be read."""
    named = sum(_SIZES.get(entry.kind, 1) * entry.values for entry in entries.values())
    if named > len(data) + 65_536:
        raise RejectedImage(
            "too_complex", f"is a TIFF of {len(data)} bytes whose directory names values of {named} bytes", header
        )


def _refuse_unknown(data: bytes, order: str, entries: dict[int, _Entry], header: Header) -> None:
    compression = _number(data, order, entries, _COMPRESSION, 1)
    bits = np.unique(_numbers(data, order, entries, _BITS)).tolist() or [1]
    samples = _number(data, order, entries, _SAMPLES, 1)
    formats = {*np.unique(_numbers(data, order, entries, _SAMPLE_FORMAT)).tolist()} - {1}
    if compression not in _COMPRESSIONS:
        raise RejectedImage(
            "unsupported_format",
            f"is a TIFF of compression {compression}; none, CCITT, LZW, deflate and PackBits are taken",
            header,
        )
    if formats or samples > _MOST_SAMPLES or {*bits} - {1, 2, 4, 8, 16}:
        raise RejectedImage(
            "unsupported_format",
            f"is a TIFF of {samples} samples of {bits[0]} bits{', signed or floating' if formats else ''}; "
            "whole numbers of up to 16 bits are taken",
            header,
        )
    photometric, planar, fill = (
        _number(data, order, entries, tag, otherwise)
        for tag, otherwise in ((_PHOTOMETRIC, _WHITE_IS_ZERO), (_PLANAR, 1), (_FILL_ORDER, 1))
    )
    extra = tuple(_numbers(data, order, entries, _EXTRA_SAMPLES)[:_MOST_SAMPLES].tolist())
    taken = (
        _takes_one(photometric, bits[0], planar == 2 and compression == 1, fill == 2) and not extra
        if samples == 1
        else _takes_several(photometric, bits[0], samples, extra, planar == 2, compression == 1) and fill == 1
    )
    if not taken or len(bits) > 1:
        said = f"{samples} samples of {' and '.join(map(str, bits))} bits, photometric interpretation {photometric}, planar configuration {planar}"
        said += f", extra samples {list(extra)}" if extra else ""
        said += f", fill order {fill}" if fill != 1 else ""
        raise RejectedImage("unsupported_format", f"is a TIFF of {said}; {_TAKEN}", header)


def _takes_one(photometric: int, bits: int, in_planes: bool, reversed_bits: bool) -> bool:
    """Whether Pillow reads pictures of one sample right."""
    if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE) or (bits == 16 and photometric != _BLACK_IS_ZERO):
        return False
    if in_planes:  # Pillow takes the first letter of its name for the samples
        return bits == 8 and photometric != _WHITE_IS_ZERO and not reversed_bits
    return not reversed_bits or (bits < 8 and photometric != _PALETTE)


def _takes_several(
    photometric: int, bits: int, samples: int, extra: tuple[int, ...], in_planes: bool, uncompressed: bool
) -> bool:
    """Whether Pillow reads pictures of several samples right."""
    colours, extras = _SEVERAL.get((photometric, bits), (0, set()))
    if in_planes:
        if photometric not in (_RGB, _CMYK) or (bits == 16 and uncompressed):
            return False
        extras = {(), (2,)} & extras
    elif photometric == _RGB and samples == 4 and not extra:
        return True  # the fourth is alpha
    return extra in extras and samples == colours + len(extra)


def _refuse_cut(data: bytes, order: str, entries: dict[int, _Entry], header: Header) -> None:
    for places, lengths in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
        starts, sizes = (_numbers(data, order, entries, tag) for tag in (places, lengths))
        if not len(starts):
            continue
        if len(sizes) != len(starts) or (starts.astype(np.int64) + sizes > len(data)).any():
            raise RejectedImage("truncated", "the TIFF file ends before its picture does", header)
        return
    raise RejectedImage("not_an_image", "the TIFF file has no picture", header)
