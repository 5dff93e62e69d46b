"""HEIC: boxes and HEVC headers looked through. HEIC is read where pillow-heif is installed; Driftwatch does not bring it along
(docs/decisions/0100).

libheif decodes each tile as often as a grid names it, and makes room for what an HEVC header says. It turns, mirrors and crops as the
file's boxes say.
Sources: ISO/IEC 14496-15 (hvcC) and 23008-12 (grids), ITU-T H.265, sections 7.3.1 and 7.3.2.2 (sequence parameter set).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from driftwatch.images.boxes import GRID, MOST_BOXES, Bits, Boxes
from driftwatch.images.headers import Check, Header, ImageFile, RejectedImage, damaged

_CODED = b"hvc1"
_PARAMETERS = 33  # the kind of NAL unit that says the size
_LEAST_PIXELS = 512 * 512  # a tile of usual size
# Whose libheif and libde265 have no known fault by which a picture runs code: 1.23.4 and 1.1.3.
LEAST_VERSION = (1, 8, 1)


def read_heic(data: bytes, check: Check) -> ImageFile:
    """The size is that of the picture as it is decoded: turned and cropped. EXIF and XMP are hidden from the decoder."""
    if why := heic_unread():
        raise RejectedImage("unsupported_format", f"is HEIC, {why}")
    try:
        return _read(Boxes(data, "HEIC"), check)
    except IndexError:
        raise RejectedImage("truncated", "the HEIC file ends inside its header") from None


@cache
def heic_unread() -> str:
    """Why HEIC cannot be read here; empty where it can. The decoder is made ready."""
    least = ".".join(map(str, LEAST_VERSION))
    try:
        import pillow_heif
    except ImportError:
        return (
            f"which needs pillow-heif {least} or later, and that is not installed here: pip install 'driftwatch[heic]'"
        )
    if tuple(map(int, pillow_heif.__version__.split(".")[:3])) < LEAST_VERSION:
        return f"and pillow-heif {pillow_heif.__version__} has faults by which a picture may run code: install {least} or later"
    # One thread: images are decoded side by side already.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    return ""


def _read(file: Boxes, check: Check) -> ImageFile:
    width, height = _cropped(file, *file.size_of(file.primary))
    turn = file.of_primary().get(b"irot")
    if turn is not None and file.data[turn.start] & 1:
        width, height = height, width
    header = Header("HEIC", width, height)
    check(header)
    _refuse_other(file, header)
    places = file.places(header)
    sizes = {
        item: _coded_size(file, item, file.bytes_of(places.get(item, [])), header)
        for item, kind in file.kinds.items()
        if kind == _CODED
    }
    tiles = [tile for grid, tiles in file.references(b"dimg") if file.kinds.get(grid) == GRID for tile in tiles]
    if any(tile not in sizes for tile in tiles):
        raise RejectedImage("unsupported_format", "is a HEIC with a grid of other parts than HEVC pictures", header)
    pixels = sum(sizes.values()) + sum(sizes[tile] for tile in tiles)
    if pixels > 8 * max(width * height, _LEAST_PIXELS):
        raise RejectedImage(
            "too_complex", f"is a HEIC of {width} x {height} pixels whose parts have {pixels} pixels", header
        )
    return ImageFile(header, file.hidden)


def _refuse_other(file: Boxes, header: Header) -> None:
    """Refuses what is no still picture of HEVC, or of a grid of such."""
    kinds = [file.kinds.get(file.primary)]
    kinds += [file.kinds.get(item) for item, others in file.references(b"auxl") if file.primary in others]
    if other := next((kind for kind in kinds if kind not in (_CODED, GRID)), None):
        raise RejectedImage("unsupported_format", f"is a HEIC whose picture is of the kind {other!r}", header)
    if any(box.kind == b"moov" for box in file.outer):
        raise RejectedImage("unsupported_format", "is a HEIC with a film in it; still pictures are taken", header)


def _cropped(file: Boxes, width: int, height: int) -> tuple[int, int]:
    """The size that the box `clap` leaves of a picture: two fractions."""
    box = file.of_primary().get(b"clap")
    if box is None:
        return width, height
    parts = [file.number(box.start + at, 4)[0] for at in (0, 4, 8, 12)]
    if not parts[1] or not parts[3]:
        raise RejectedImage("not_an_image", "the HEIC file is cropped to a size of nothing")
    return min(width, round(parts[0] / parts[1])), min(height, round(parts[2] / parts[3]))


def _coded_size(file: Boxes, item: int, coded: bytes, header: Header) -> int:
    """The pixels of the largest picture that the item's HEVC headers speak of: in its box hvcC, and among its data."""
    box = file.properties.get(item, {}).get(b"hvcC")
    if box is None:
        raise damaged(header, "HEIC", "a picture has no HEVC header")
    known = [unit for unit in (*_in_box(file.data[box.start : box.end]), *_in_data(coded, file, box.start, header))]
    sizes = [_size(unit, header) for unit in known if unit and unit[0] >> 1 & 63 == _PARAMETERS]
    if not sizes:
        raise damaged(header, "HEIC", "no HEVC header says its size")
    return max(sizes)


def _in_box(box: bytes) -> Iterator[bytes]:
    """The NAL units of a box hvcC."""
    at = 23
    for _ in range(box[22]):
        count, at = int.from_bytes(box[at + 1 : at + 3], "big"), at + 3
        for _ in range(min(count, MOST_BOXES)):
            length, at = int.from_bytes(box[at : at + 2], "big"), at + 2
            yield box[at : at + length]
            at += length


def _in_data(coded: bytes, file: Boxes, box: int, header: Header) -> Iterator[bytes]:
    """The NAL units of an item's data, each behind its length."""
    size, at = (file.data[box + 21] & 3) + 1, 0
    for _ in range(MOST_BOXES):
        if at >= len(coded):
            return
        length, at = int.from_bytes(coded[at : at + size], "big"), at + size
        if at + length > len(coded):
            raise damaged(header, "HEIC", "a part of it is longer than its picture")
        yield coded[at : at + min(length, 512)]
        at += length
    raise RejectedImage("too_complex", f"the HEIC picture has more than {MOST_BOXES} parts", header)


def _size(unit: bytes, header: Header) -> int:
    """The pixels that a sequence parameter set speaks of."""
    coded = unit[2:512].replace(b"\0\0\3", b"\0\0")  # a byte that only keeps start codes away
    number = Bits(coded, header, "HEVC").number

    def golomb() -> int:
        zeros = 0
        while not number(1):
            zeros += 1
        return (1 << zeros) - 1 + number(zeros)

    number(4)
    layers = number(3)
    number(1 + 88 + 8)  # nesting; profile and level of all layers
    if layers:
        told = [(number(1), number(1)) for _ in range(8)][:layers]
        number(sum(88 * profile + 8 * level for profile, level in told))
    golomb()
    if golomb() == 3:
        number(1)
    return golomb() * golomb()
