"""AVIF: boxes and AV1 headers looked through.

libavif makes room for any picture of up to 16,384 x 16,384 pixels, whatever the file's boxes say. Pillow reads EXIF as it stands.

Source: AV1 Bitstream & Decoding Process Specification, section 5.5 (sequence header).
"""

from __future__ import annotations

from driftwatch.images.boxes import GRID, MOST_BOXES, Bits, Boxes
from driftwatch.images.headers import Check, Header, ImageFile, RejectedImage, damaged

_PICTURES = (b"av01", GRID)
_SEQUENCE = 1  # the kind of OBU
# EXIF's orientation, by irot's angle and imir's axis; None for no mirror.
_TURNED = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
}  # fmt: skip


def read_avif(data: bytes, check: Check) -> ImageFile:
    """The picture's size is what its box says, and no AV1 picture of the file may be larger. EXIF is hidden from the decoder: turning and
    mirroring have boxes of their own."""
    if why := avif_unread():
        raise RejectedImage("unsupported_format", f"is AVIF, {why}")
    try:
        return _read(Boxes(data, "AVIF"), check)
    except IndexError:
        raise RejectedImage("truncated", "the AVIF file ends inside its header") from None


def avif_unread() -> str:
    """Why AVIF cannot be read here; empty where it can."""
    from PIL import features

    return "" if features.check("avif") else "which the Pillow that is installed here does not read"


def _read(file: Boxes, check: Check) -> ImageFile:
    header = Header("AVIF", *file.size_of(file.primary))
    check(header)
    kind, properties = file.kinds.get(file.primary), file.of_primary()
    if kind not in _PICTURES:
        raise RejectedImage("unsupported_format", f"is an AVIF whose picture is of the kind {kind!r}", header)
    places = file.places(header)
    for item, other in file.kinds.items():
        if other == b"av01":
            _refuse_large(file.bytes_of(places.get(item, [])), header)
    angle = file.data[properties[b"irot"].start] & 3 if b"irot" in properties else 0
    axis = file.data[properties[b"imir"].start] & 1 if b"imir" in properties else None
    return ImageFile(header, file.hidden, _TURNED[angle, axis])


def _refuse_large(coded: bytes, header: Header) -> None:
    """`coded`: the OBUs of one AV1 picture, one of which says its size."""
    at, sequences = 0, 0
    for _ in range(MOST_BOXES):
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
    """Width and height of the largest picture that may follow a sequence header: those that a still picture's header says, else the largest that
    its numbers can hold."""
    number = Bits(sequence[:64], header, "AV1").number
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
