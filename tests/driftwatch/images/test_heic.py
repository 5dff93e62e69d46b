"""HEIC: the pixels that pillow-heif gives, whole or refused, and no file costs more than its pixels."""

from __future__ import annotations

import builtins
import io
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from driftwatch.config.images import FORMATS, ImagesConfig
from driftwatch.images import heic
from driftwatch.images.boxes import Boxes
from driftwatch.images.decode import check_file, decode_image
from driftwatch.images.headers import RejectedImage, format_of

from .files import encoded, kind_of, picture

pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: pip install 'driftwatch[heic]'")
pillow_heif.register_heif_opener()

ALL = ImagesConfig(formats=FORMATS)
WIDTH, HEIGHT = 128, 96
RGB = picture(WIDTH, HEIGHT)
CLEAR = Image.fromarray(np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)]))
CLEAR.putpixel((0, 0), (0, 0, 0, 0))
FILES = {
    "colour": encoded(RGB, "HEIF", quality=90),
    "grey": encoded(Image.fromarray(RGB).convert("L"), "HEIF", quality=90),
    "transparent": encoded(CLEAR, "HEIF", quality=90),
    "4:4:4": encoded(RGB, "HEIF", quality=90, chroma=444),
    "odd size": encoded(RGB[:75, :99], "HEIF", quality=90),
}


def as_pillow(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


def refusal(data: bytes, limits: ImagesConfig = ALL) -> RejectedImage:
    with pytest.raises(RejectedImage) as found:
        decode_image(data, limits)
    return found.value


# Files made by hand, box by box


class Item(NamedTuple):
    kind: bytes
    data: bytes
    properties: Sequence[bytes]


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *parts)


def size(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def grid(rows: int, columns: int, width: int, height: int) -> bytes:
    return bytes((0, 0, rows - 1, columns - 1)) + struct.pack(">HH", width, height)


def made(items: Sequence[Item], tiles: Mapping[int, Sequence[int]], times: int = 1, outer: bytes = b"") -> bytes:
    """A HEIC whose picture is the first of `items`, numbered from 1. `tiles`: of which others a grid is; `times`: how often each item names its
    bytes."""
    known = list(dict.fromkeys(each for item in items for each in item.properties))
    infos = [
        full(b"infe", struct.pack(">HH", number, 0), item.kind, b"\0", version=2)
        for number, item in enumerate(items, 1)
    ]
    owned = b"".join(
        struct.pack(">HB", number, len(item.properties)) + bytes(0x80 | known.index(each) + 1 for each in item.properties)
        for number, item in enumerate(items, 1)
    )  # fmt: skip
    references = b"".join(
        box(b"dimg", struct.pack(f">HH{len(of)}H", number, len(of), *of)) for number, of in tiles.items()
    )

    def meta(start: int) -> bytes:
        places = b""
        for number, item in enumerate(items, 1):
            places += struct.pack(">HHH", number, 0, times) + struct.pack(">II", start, len(item.data)) * times
            start += len(item.data)
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iloc", b"\x44\x00", struct.pack(">H", len(items)), places),
            full(b"iinf", struct.pack(">H", len(items)), *infos),
            full(b"iref", references),
            box(b"iprp", box(b"ipco", *known), full(b"ipma", struct.pack(">I", len(items)), owned)),
        )

    before = box(b"ftyp", b"heic", bytes(4), b"mif1heic") + outer
    return before + meta(len(before) + len(meta(0)) + 8) + box(b"mdat", *(item.data for item in items))


def coded(data: bytes) -> tuple[bytes, bytes]:
    """What an encoder made of a picture: its box hvcC, and its data."""
    file = Boxes(data, "HEIC")
    where = file.of_primary()[b"hvcC"]
    places = file.places(check_file(data, ALL).header)
    return data[where.start - 8 : where.end], file.bytes_of(places[file.primary])


def quarters(order: Sequence[int] = (2, 3, 4, 5)) -> bytes:
    """A grid of four pictures."""
    out = (256, 192)
    corners = [np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in (40, 90, 160, 220)]
    parts = [coded(encoded(corner, "HEIF", quality=90)) for corner in corners]
    items = [Item(b"grid", grid(2, len(order) // 2, *out), [size(*out)])]
    items += [Item(b"hvc1", data, [size(WIDTH, HEIGHT), header]) for header, data in parts]
    return made(items, {1: order})


@pytest.mark.parametrize("name", FILES)
def test_every_kind_gives_pillow_heifs_pixels(name):
    found = decode_image(FILES[name], ALL)
    assert found.format == "HEIC"
    np.testing.assert_array_equal(found.rgb, as_pillow(FILES[name]))


def test_a_grid_is_put_together():
    data = quarters()
    rgb = decode_image(data, ALL).rgb
    assert rgb.shape == (192, 256, 3)
    levels = [rgb[y, x].mean() for y, x in ((40, 40), (40, 200), (150, 40), (150, 200))]
    np.testing.assert_allclose(levels, (40, 90, 160, 220), atol=3)


@pytest.mark.parametrize("angle", range(4))
def test_the_file_says_how_it_is_turned_and_the_size_is_that_of_the_upright_picture(angle):
    header, data = coded(FILES["colour"])
    turned = made([Item(b"hvc1", data, [size(WIDTH, HEIGHT), header, box(b"irot", bytes([angle]))])], {})
    found = decode_image(turned, ALL)
    wanted = np.rot90(as_pillow(FILES["colour"]), angle)
    np.testing.assert_array_equal(found.rgb, wanted)
    head = check_file(turned, ALL).header
    assert (head.height, head.width) == wanted.shape[:2]


def test_a_cropped_picture_has_the_size_that_is_left():
    header, data = coded(FILES["colour"])
    clap = box(b"clap", struct.pack(">8I", 100, 1, 80, 1, 0, 1, 0, 1))
    cropped = made([Item(b"hvc1", data, [size(WIDTH, HEIGHT), header, clap])], {})
    assert decode_image(cropped, ALL).rgb.shape == (80, 100, 3)
    assert check_file(cropped, ALL).header[1:3] == (100, 80)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_whole_or_refused_wherever_it_is_cut(name):
    data, kinds = FILES[name], set()
    for kept in [*range(1, 80), *range(80, len(data) - 1, max(1, len(data) // 60)), len(data) - 1]:
        try:
            found = decode_image(data[:kept], ALL)
        except RejectedImage as error:
            kinds.add(error.kind)
        else:  # what is missing is no part of the picture
            np.testing.assert_array_equal(found.rgb, as_pillow(data))
    assert {"truncated"} <= kinds <= {"truncated", "not_an_image"}


@pytest.mark.parametrize("name", [*FILES, "grid"])
def test_no_damage_makes_anything_else_than_a_picture_of_that_size_or_a_refusal(name):
    data, rng = quarters() if name == "grid" else FILES[name], np.random.default_rng(5)
    limits = ImagesConfig(formats=FORMATS, max_pixels=WIDTH * HEIGHT * 16)
    for _ in range(150):
        broken = bytearray(data)
        for at in rng.integers(0, len(data) if rng.random() < 0.5 else 400, 3):
            broken[at] ^= 1 << rng.integers(8)
        try:
            rgb = decode_image(bytes(broken), limits).rgb
        except RejectedImage:
            continue
        assert rgb.shape[0] * rgb.shape[1] <= limits.max_pixels


def test_what_costs_more_than_its_pixels_is_refused_before_a_decoder_sees_it(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    header, data = coded(encoded(np.zeros((2000, 2000, 3), np.uint8), "HEIF"))
    small = made([Item(b"hvc1", data, [size(64, 64), header])], {})
    assert str(refusal(small)) == "is a HEIC of 64 x 64 pixels whose parts have 4000000 pixels"
    often = quarters(order=[2] * 400)
    assert (refusal(often).kind, "whose parts have" in str(refusal(often))) == ("too_complex", True)
    shared = made([Item(b"hvc1", data, [size(2000, 2000), header])], {}, times=40)
    assert str(refusal(shared)) == "the parts of the HEIC file's items lie in each other"
    # The size stands also among the data, and that one counts for the decoder.
    (unit,) = [each for each in heic._in_box(header[8:]) if each[0] >> 1 & 63 == 33]
    small_header, small_data = coded(FILES["colour"])
    hidden = struct.pack(">I", len(unit)) + unit + small_data
    assert refusal(made([Item(b"hvc1", hidden, [size(WIDTH, HEIGHT), small_header])], {})).kind == "too_complex"


def test_what_is_no_still_picture_of_hevc_is_told(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    header, data = coded(FILES["colour"])
    picture_item = Item(b"hvc1", data, [size(WIDTH, HEIGHT), header])
    assert (
        str(refusal(made([picture_item], {}, outer=box(b"moov"))))
        == "is a HEIC with a film in it; still pictures are taken"
    )
    other = made([Item(b"iovl", b"", [size(WIDTH, HEIGHT)]), picture_item], {1: [2]})
    assert str(refusal(other)) == "is a HEIC whose picture is of the kind b'iovl'"
    nested = made([Item(b"grid", grid(1, 1, 64, 64), [size(64, 64)]), Item(b"grid", grid(1, 1, 64, 64), [size(64, 64)]), picture_item], {1: [2], 2: [3]})  # fmt: skip
    assert str(refusal(nested)) == "is a HEIC with a grid of other parts than HEVC pictures"
    assert str(refusal(made([Item(b"hvc1", data, [size(WIDTH, HEIGHT)])], {}))).endswith("a picture has no HEVC header")
    assert refusal(FILES["colour"].replace(b"ftypheic", b"ftyphevc")).kind == "unsupported_format"


def test_the_limits_count_before_a_pixel_is_decoded(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    data, of = FILES["colour"], WIDTH * HEIGHT
    assert refusal(data, ImagesConfig(formats=FORMATS, max_pixels=of - 1)).kind == "too_many_pixels"
    assert refusal(data, ImagesConfig(formats=FORMATS, min_side=HEIGHT + 1)).kind == "too_small"
    assert kind_of(data, ImagesConfig()) == "unsupported_format"


def test_a_decoder_sees_no_exif_and_no_xmp():
    exif = Image.Exif()
    exif[0x010E] = "a camera"
    data = encoded(RGB, "HEIF", exif=exif, xmp=b"<x:xmpmeta/>")
    assert Image.open(io.BytesIO(data)).getexif()[0x010E] == "a camera"
    hidden = Image.open(io.BytesIO(check_file(data, ALL).data))
    assert not hidden.getexif()
    assert not hidden.info.get("xmp")
    np.testing.assert_array_equal(decode_image(data, ALL).rgb, as_pillow(data))


def test_a_file_of_a_general_brand_is_what_its_other_brands_say():
    data = bytearray(FILES["colour"])
    data[8:12] = b"mif1"
    assert b"heic" in data[16:32]
    assert format_of(bytes(data), FORMATS) == "HEIC"
    assert decode_image(bytes(data), ALL).format == "HEIC"
    general = bytes(data[:16]) + b"miaf" * 4
    with pytest.raises(RejectedImage, match="is HEIF; accepted are"):
        format_of(b"\0\0\0\x20" + general[4:], FORMATS)


@pytest.mark.parametrize("version", [None, "1.8.0"])
def test_without_a_decoder_or_with_one_of_known_faults_the_reason_says_what_to_install(monkeypatch, version):
    heic.heic_unread.cache_clear()
    if version:
        monkeypatch.setattr(pillow_heif, "__version__", version)
        said = "pillow-heif 1.8.0 has faults by which a picture may run code: install 1.8.1 or later"
    else:
        real = builtins.__import__
        monkeypatch.delitem(sys.modules, "pillow_heif")

        def without(name: str, *rest: object) -> object:
            if name == "pillow_heif":
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        said = "needs pillow-heif 1.8.1 or later, and that is not installed here: pip install 'driftwatch[heic]'"
    try:
        found = refusal(FILES["colour"])
        assert (found.kind, said in str(found)) == ("unsupported_format", True), found
    finally:
        heic.heic_unread.cache_clear()
