"""Why files are looked through by hand: what Pillow's lazy open takes that must be refused, and refuses that is a whole picture."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from driftwatch.config import ImagesConfig
from driftwatch.images.decode import check_file, decode_image
from driftwatch.images.headers import RejectedImage, orientation

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    NOISE.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def with_byte(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes([value]) + data[place + 1 :]


def of_frame(kind: int) -> bytes:
    """A JPEG whose frame header says that it is of another kind."""
    return with_byte(JPEG, FRAME + 1, kind)


def many_scans() -> bytes:
    data = encoded("JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xc4") : -2] * 50 + b"\xff\xd9"


JPEG, PNG, WEBP = encoded("JPEG"), encoded("PNG"), encoded("WEBP", lossless=True)
FRAME = JPEG.index(b"\xff\xc0")
SCAN = JPEG.index(b"\xff\xda")
PICTURE = PNG.index(b"IDAT")
AFTER_HEADER = 33  # of a PNG: where its other chunks begin
TWICE = JPEG[:FRAME] + JPEG[FRAME : FRAME + 2 + int.from_bytes(JPEG[FRAME + 2 : FRAME + 4], "big")] + JPEG[FRAME:]

PILLOW_OPENS = {
    "a JPEG of 60 scans": (many_scans(), "too_complex"),
    "a JPEG of 50,000 comments": (JPEG[:2] + b"\xff\xfe\0\2" * 50_000 + JPEG[2:], "too_complex"),
    "a JPEG with two frame headers": (TWICE, "truncated"),
    "a lossless JPEG": (of_frame(0xC3), "unsupported_format"),
    "an arithmetic-coded JPEG": (of_frame(0xC9), "unsupported_format"),
    "a hierarchical JPEG": (of_frame(0xC5), "unsupported_format"),
    "a PNG whose picture data have a wrong sum": (with_byte(PNG, PICTURE + 9, PNG[PICTURE + 9] ^ 255), "truncated"),
    "a PNG that is cut short": (PNG[:-300], "truncated"),
    "a PNG without picture data": (PNG[:AFTER_HEADER] + chunk(b"IEND", b""), "not_an_image"),
    "a PNG of 50,000 texts": (PNG[:AFTER_HEADER] + chunk(b"tEXt", b"a\0b") * 50_000 + PNG[AFTER_HEADER:], "too_complex"),
    "a PNG of 81 million pixels": (
        PNG[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0)) + PNG[AFTER_HEADER:], "too_many_pixels",
    ),
}  # fmt: skip
PILLOW_REFUSES = {
    "a PNG with a colour profile of 100 MB": chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(10**8), 9)),
    "a PNG with a text of 10 MB": chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(10**7), 9)),
    "a PNG with a text whose sum is wrong": chunk(b"tEXt", b"a\0b")[:-1] + b"\0",
}
BOTH_REFUSE = {
    "no image": (b"hello, world", "not_an_image"),
    "a GIF": (encoded("GIF"), "unsupported_format"),
    "a JPEG of 12 bits": (with_byte(JPEG, FRAME + 4, 12), "unsupported_format"),
    "a JPEG that ends in its header": (JPEG[:SCAN], "truncated"),
    "a JPEG without picture data": (JPEG[:SCAN] + b"\xff\xd9", "not_an_image"),
    "a JPEG of height 0": (JPEG[: FRAME + 5] + b"\0\0" + JPEG[FRAME + 7 :], "not_an_image"),
    "a PNG that ends in its header": (PNG[:30], "truncated"),
    "a WebP that is cut short": (WEBP[:-100], "truncated"),
    "a WebP that says it is longer": (WEBP[:4] + struct.pack("<I", len(WEBP) + 100) + WEBP[8:], "truncated"),
}


def pillow_opens(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")):
            return True
    except (OSError, ValueError):  # UnidentifiedImageError is an OSError
        return False


@pytest.mark.parametrize("name", [*PILLOW_OPENS, *BOTH_REFUSE])
def test_what_is_no_usable_picture_is_refused_with_its_reason_whether_pillow_opens_it_or_not(name):
    data, kind = {**PILLOW_OPENS, **BOTH_REFUSE}[name]
    with pytest.raises(RejectedImage) as found:
        check_file(data, ImagesConfig())
    assert found.value.kind == kind
    assert pillow_opens(data) is (name in PILLOW_OPENS)


@pytest.mark.parametrize("name", PILLOW_REFUSES)
def test_what_stands_beside_a_whole_picture_refuses_nothing_though_pillow_does_not_open_it(name):
    data = PNG[:AFTER_HEADER] + PILLOW_REFUSES[name] + PNG[AFTER_HEADER:]
    assert (decode_image(data, ImagesConfig()).rgb == np.asarray(NOISE)).all()
    assert not pillow_opens(data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_read_from_exif_of_either_order_and_damage_is_upright(order):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x0100, 4, 1, 9), (0x0112, 3, 1, 6)]
    rows = b"".join(
        struct.pack(f"{order}HHI", *entry[:3]) + struct.pack(f"{order}I" if entry[1] == 4 else f"{order}Hxx", entry[3])
        for entry in entries
    )
    tiff = mark + struct.pack(f"{order}IH", 8, 2) + rows
    assert orientation(tiff) == orientation(b"Exif\0\0" + tiff) == 6
    assert [orientation(tiff[:end]) for end in range(len(tiff))] == [1] * len(tiff)
    assert orientation(tiff.replace(struct.pack(f"{order}Hxx", 6), struct.pack(f"{order}Hxx", 9))) == 1
