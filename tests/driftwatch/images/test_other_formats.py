"""TIFF, BMP, GIF and AVIF, which `images.formats` turns on: the pixels that Pillow gives, whole or refused, and no file costs more than its pixels."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from driftwatch.config import ImagesConfig
from driftwatch.config.images import FORMATS
from driftwatch.errors import ChangedImage
from driftwatch.images.decode import check_file, decode_image
from driftwatch.images.first_bytes import JPEG
from driftwatch.images.gif import FIRST_FRAME
from driftwatch.images.headers import RejectedImage
from driftwatch.images.originals import read_original
from driftwatch.images.tiff import FIRST_PAGE
from driftwatch.storage import open_storage

from .files import encoded, kind_of, picture

ALL = ImagesConfig(formats=FORMATS)
WIDTH, HEIGHT = 60, 50
RGB = picture(WIDTH, HEIGHT)
PALETTE = Image.fromarray(RGB).quantize(64)
CLEAR = Image.fromarray(np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)]))
CLEAR.putpixel((0, 0), (0, 0, 0, 0))
GREY16 = (np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH) * 20).astype(np.uint16)


def white(image: Image.Image) -> np.ndarray:
    found = image.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", found.size, "white"), found).convert("RGB"))


FILES: dict[str, tuple[bytes, np.ndarray]] = {
    "TIFF, raw": (encoded(RGB, "TIFF"), RGB),
    "TIFF, big-endian": (encoded(Image.fromarray(GREY16).point(lambda value: value), "TIFF", big_endian=True), np.repeat((GREY16 >> 8).astype(np.uint8)[..., None], 3, 2)),
    "TIFF, LZW": (encoded(RGB, "TIFF", compression="tiff_lzw"), RGB),
    "TIFF, deflate": (encoded(RGB, "TIFF", compression="tiff_adobe_deflate"), RGB),
    "TIFF, PackBits": (encoded(RGB, "TIFF", compression="packbits"), RGB),
    "TIFF, CCITT": (encoded(Image.fromarray(RGB).convert("1"), "TIFF", compression="group4"), np.asarray(Image.fromarray(RGB).convert("1").convert("RGB"))),
    "TIFF, transparent": (encoded(CLEAR, "TIFF"), white(CLEAR)),
    "TIFF, CMYK": (encoded(Image.fromarray(RGB).convert("CMYK"), "TIFF"), np.asarray(Image.fromarray(RGB).convert("CMYK").convert("RGB"))),
    "BMP": (encoded(RGB, "BMP"), RGB),
    "BMP, palette": (encoded(PALETTE, "BMP"), np.asarray(PALETTE.convert("RGB"))),
    "BMP, one bit": (encoded(Image.fromarray(RGB).convert("1"), "BMP"), np.asarray(Image.fromarray(RGB).convert("1").convert("RGB"))),
    "GIF": (encoded(PALETTE, "GIF"), np.asarray(PALETTE.convert("RGB"))),
    "GIF, grey": (encoded(Image.fromarray(RGB).convert("L"), "GIF"), np.asarray(Image.fromarray(RGB).convert("L").convert("RGB"))),
}  # fmt: skip


def as_pillow(data: bytes) -> np.ndarray:
    return white(Image.open(io.BytesIO(data)))


AVIFS = {
    "AVIF": encoded(RGB, "AVIF", quality=80),
    "AVIF, grey": encoded(Image.fromarray(RGB).convert("L"), "AVIF", quality=80),
    "AVIF, transparent": encoded(CLEAR, "AVIF", quality=80),
    "AVIF, 4:4:4": encoded(RGB, "AVIF", quality=90, subsampling="4:4:4"),
}
FILES |= {name: (data, as_pillow(data)) for name, data in AVIFS.items()}


def refusal(data: bytes, limits: ImagesConfig = ALL) -> RejectedImage:
    with pytest.raises(RejectedImage) as caught:
        decode_image(data, limits)
    return caught.value


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_pixels_that_pillow_gives_it(name):
    data, wanted = FILES[name]
    found = decode_image(data, ALL)
    assert (found.format, found.note) == (name.partition(",")[0], "")
    np.testing.assert_array_equal(found.rgb, wanted)
    header = check_file(data, ALL).header
    assert (header.width, header.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("name", FILES)
def test_a_format_that_is_off_is_refused_with_the_setting(name):
    kind = name.partition(",")[0]
    found = refusal(FILES[name][0], ImagesConfig())
    assert found.kind == "unsupported_format"
    assert str(found) == f"is {kind}; accepted are JPEG, PNG and WebP (images.formats may have {kind.lower()})"
    only = ImagesConfig(formats=[kind.lower()])
    assert decode_image(FILES[name][0], only).format == kind
    assert str(refusal(encoded(RGB), only)) == f"is JPEG; accepted are {kind} (images.formats may have jpeg)"


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_whole_or_refused_wherever_it_is_cut(name):
    data, wanted = FILES[name]
    kinds = set()
    for kept in [*range(1, 80), *range(80, len(data) - 1, max(1, len(data) // 60)), len(data) - 2, len(data) - 1]:
        try:
            found = decode_image(data[:kept], ALL)
        except RejectedImage as error:
            kinds.add(error.kind)
        else:  # what is missing is no part of the picture
            np.testing.assert_array_equal(found.rgb, wanted)
    assert {"truncated"} <= kinds <= {"truncated", "not_an_image"}
    assert kind_of(data[: len(data) // 2], ALL) == "truncated"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says of odd tags
@pytest.mark.parametrize("name", FILES)
def test_no_damage_makes_anything_else_than_a_picture_of_that_size_or_a_refusal(name):
    data, rng = FILES[name][0], np.random.default_rng(5)
    limits = ImagesConfig(formats=FORMATS, max_pixels=WIDTH * HEIGHT * 4)
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(0, len(data) if rng.random() < 0.5 else min(len(data), 200), 3):
            broken[at] ^= 1 << rng.integers(8)
        try:
            rgb = decode_image(bytes(broken), limits).rgb
        except RejectedImage:
            continue
        assert rgb.dtype == np.uint8
        assert rgb.shape[0] * rgb.shape[1] <= limits.max_pixels


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "GIF", "AVIF"])
def test_the_limits_count_before_a_pixel_is_decoded(kind, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    data = encoded(RGB if kind == "AVIF" else Image.fromarray(RGB).quantize(8), kind)
    assert refusal(data, ImagesConfig(formats=FORMATS, max_pixels=2999)).kind == "too_many_pixels"
    assert refusal(data, ImagesConfig(formats=FORMATS, min_side=51)).kind == "too_small"
    assert refusal(data, ImagesConfig(formats=FORMATS, max_bytes=100)).kind == "too_many_bytes"


@pytest.mark.parametrize("kind", ["TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotation_is_applied_once(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(RGB, kind, exif=exif)
    with Image.open(io.BytesIO(data if kind == "AVIF" else encoded(RGB, "PNG", exif=exif))) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(decode_image(data, ALL).rgb, upright)


@pytest.mark.parametrize(("kind", "note"), [("TIFF", FIRST_PAGE), ("GIF", FIRST_FRAME)])
def test_of_several_pages_or_frames_the_first_counts_with_a_note(kind, note):
    images = [Image.fromarray(np.roll(RGB, turn, 0)).quantize(32) for turn in (0, 20, 30)]
    data = encoded(images[0], kind, save_all=True, append_images=images[1:])
    found = decode_image(data, ALL)
    assert found.note == note
    np.testing.assert_array_equal(found.rgb, np.asarray(images[0].convert("RGB")))
    if kind == "GIF":  # what is cut off after the first frame is no part of it
        cut = decode_image(data[:-20], ALL)
        np.testing.assert_array_equal(cut.rgb, found.rgb)


def test_transparency_of_a_gif_is_laid_on_white():
    image = Image.fromarray(RGB).quantize(16)
    data = encoded(image, "GIF", transparency=image.getpixel((5, 5)))
    found = decode_image(data, ALL).rgb
    assert (found[5, 5] == 255).all()
    np.testing.assert_array_equal(found, white(Image.open(io.BytesIO(data))))


# What would cost more than its pixels


def tiff(tags: dict[int, tuple[int, int, int]], size: int = 2000) -> bytes:
    """A TIFF of these tags: kind, count, value."""
    known = {
        256: (4, 1, 40),
        257: (4, 1, 40),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 400),
        277: (3, 1, 1),
        279: (4, 1, 1600),
    }
    entries = {**known, **tags}
    body = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)
    return data + bytes(size - len(data))


@pytest.mark.parametrize("tag", [256, 258, 339])
def test_a_tag_of_very_many_values_takes_no_memory(tag):
    data = tiff({tag: (4, 2_000_000, 400)}, size=8_100_000)
    tracemalloc.start()
    kind_of(data, ALL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000  # a copy of the file, and the values as they lie in it


def test_a_plain_tiff_of_the_tests_is_whole():
    assert kind_of(tiff({}), ALL) == "whole"


@pytest.mark.parametrize(
    ("tags", "kind", "said"),
    [
        ({300 + tag: (7, 1900, 0) for tag in range(60)}, "too_complex", "whose directory names values of"),
        ({322: (4, 1, 2**31), 323: (4, 1, 16), 324: (4, 1, 400), 325: (4, 1, 1600)}, "too_complex", "tiles of"),
        ({273: (4, 1, 1999)}, "truncated", "ends before its picture does"),
        ({273: (4, 2**30, 100)}, "too_complex", "whose directory names values of"),
        ({259: (3, 1, 7)}, "unsupported_format", "compression 7; none, CCITT, LZW, deflate and PackBits are taken"),
        ({258: (3, 1, 32), 339: (3, 1, 3)}, "unsupported_format", "signed or floating"),
        ({277: (3, 1, 60000)}, "unsupported_format", "60000 samples"),
        ({256: (4, 1, 0)}, "not_an_image", "0 x 40 pixels"),
        ({256: (4, 1, 2**31)}, "too_many_pixels", "images.max_pixels"),
        ({273: (4, 0, 0), 279: (4, 0, 0)}, "not_an_image", "has no picture"),
    ],
)
def test_a_tiff_that_would_cost_or_lie_is_refused_with_its_reason(tags: dict[int, Any], kind, said):
    found = refusal(tiff(tags))
    assert (found.kind, said in str(found)) == (kind, True), found


def test_a_gif_of_very_many_parts_is_refused():
    data = encoded(PALETTE, "GIF")
    many = data[:13] + data[13 : 13 + (3 << ((data[10] & 7) + 1))] + b"\x21\xfe\x00" * 20_000
    assert refusal(many).kind == "too_complex"


def test_a_bmp_that_is_packed_is_refused():
    data = bytearray(encoded(PALETTE, "BMP"))
    struct.pack_into("<I", data, 30, 1)
    assert (
        str(refusal(bytes(data))) == "is a BMP of 8 bits and compression 1; uncompressed ones of 1 to 32 bits are taken"
    )


def patched(data: bytes, kind: bytes, at: int, value: bytes) -> bytes:
    """An AVIF in whose first box of this kind something else stands."""
    start = data.index(kind) + 4 + at
    return data[:start] + value + data[start + len(value) :]


@pytest.mark.parametrize(
    ("kind", "at", "value", "said"),
    [
        (b"ispe", 4, struct.pack(">II", 12, 10), ("too_small", "12 x 10 pixels")),
        (b"ispe", 4, struct.pack(">II", 40_000, 40_000), ("too_many_pixels", "images.max_pixels")),
        (b"ispe", -4, b"free", ("not_an_image", "0 x 0 pixels")),
        (b"pitm", -4, b"free", ("not_an_image", "has no pitm box")),
        (b"meta", -4, b"free", ("not_an_image", "has no meta box")),
        (b"av01", 0, b"hvc1", ("unsupported_format", "whose picture is of the kind b'hvc1'")),
        (b"av1C", -8, struct.pack(">I", 4), ("not_an_image", "a box of 4 bytes")),
    ],
)
def test_an_avif_that_would_cost_or_lie_is_refused_with_its_reason(kind, at, value, said):
    data = AVIFS["AVIF"]
    if kind == b"av01":  # of the item, not of the file
        at = data.index(b"av01", data.index(b"infe")) - data.index(b"av01") - 4
    found = refusal(patched(data, kind, at, value))
    assert (found.kind, said[1] in str(found)) == (said[0], True), found


def test_an_avif_that_holds_a_larger_picture_than_it_says_is_refused(monkeypatch):
    """libavif would make room for it."""
    large = encoded(np.zeros((2000, 2000, 3), np.uint8), "AVIF")
    assert decode_image(large, ALL).rgb.shape == (2000, 2000, 3)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    found = refusal(patched(large, b"ispe", 4, struct.pack(">II", 64, 64)))
    assert (found.kind, str(found)) == ("too_complex", "is an AVIF of 64 x 64 pixels that holds one of 2000 x 2000")


def test_a_decoder_sees_no_exif_of_an_avif():
    """Pillow reads all that its entries name."""
    exif = Image.Exif()
    exif[0x010E] = "a camera"
    data = encoded(RGB, "AVIF", exif=exif)
    assert Image.open(io.BytesIO(data)).getexif()[0x010E] == "a camera"
    assert not Image.open(io.BytesIO(check_file(data, ALL).data)).getexif()


def test_a_sequence_is_told_as_one():
    data = encoded(RGB, "AVIF", save_all=True, append_images=[Image.fromarray(RGB[::-1])])
    assert str(refusal(data)).startswith("is an AVIF sequence; accepted are")


# For people


@pytest.mark.parametrize("name", ["TIFF, LZW", "BMP", "GIF", "AVIF"])
def test_people_see_a_jpeg_of_what_no_browser_shows_as_it_was_judged(tmp_path, name):
    storage, data = open_storage(f"file://{tmp_path}"), FILES[name][0]
    storage.write_bytes("m/incoming/2026-01-08/a", data)
    found = read_original(storage, hashlib.sha256(data).hexdigest(), "m/incoming/2026-01-08/a", 10**6)
    assert found.kind == JPEG
    shown = np.asarray(Image.open(io.BytesIO(found.data)))
    assert np.abs(shown.astype(int) - FILES[name][1]).mean() < 16
    storage.write_bytes("m/incoming/2026-01-08/a", b"BM no picture")
    with pytest.raises(ChangedImage, match="it was replaced"):
        read_original(storage, hashlib.sha256(b"BM no picture").hexdigest(), "m/incoming/2026-01-08/a", 10**6)
