"""Every kind of TIFF and BMP is read as it was written, or refused as one that is not taken: no whole file is called damaged."""

from __future__ import annotations

import itertools
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from driftwatch.config import ImagesConfig
from driftwatch.config.images import FORMATS
from driftwatch.images.decode import decode_image
from driftwatch.images.headers import NO_END_MARK, RejectedImage

from .files import encoded, picture

ALL = ImagesConfig(formats=FORMATS)
HEIGHT, WIDTH = 37, 53
GREY_WHITE, GREY, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
COLOURS = {GREY_WHITE: 1, GREY: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3}
EXTRAS = ((), (0,), (1,), (2,), (0, 0), (2, 0), (1, 0))
MAP = np.random.default_rng(1).integers(0, 65536, (3, 256))
PLANES, BITS_FROM_THE_END = {284: (2,)}, {266: (2,)}


def samples(count: int, bits: int) -> np.ndarray:
    """Whole numbers [height, width, count] that tell a picture from its mirror, its negative and its other colours."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / [[[HEIGHT - 1]], [[WIDTH - 1]]]
    shares = [x, y, (x + y) / 2, (1 - x) / 2, (x * 30 + 20) / 50, 1 - y / 2][:count]
    return np.rint(np.dstack(shares) * ((1 << bits) - 1)).astype(np.int64)


def packed(values: np.ndarray, bits: int, order: str) -> bytes:
    rows = values.reshape(len(values), -1)
    if bits == 16:
        return rows.astype(f"{order}u2").tobytes()
    single = (rows[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(single.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes()


def tiff(values: np.ndarray, photometric: int, bits: int, *, order="<", deflate=False, layout="strip", **more) -> bytes:
    """The samples as a TIFF, by TIFF 6.0. `more`: further tags of shorts, as `tag_284`."""
    tags = {int(name.removeprefix("tag_")): value for name, value in more.items()}
    planes = np.split(values, values.shape[2], 2) if tags.get(284) == (2,) else [values]
    parts = []
    for plane in planes:
        if layout == "tiles":
            padded = np.pad(plane, ((0, -HEIGHT % 16), (0, -WIDTH % 16), (0, 0)))
            steps = itertools.product(range(0, HEIGHT, 16), range(0, WIDTH, 16))
            parts += [padded[y : y + 16, x : x + 16] for y, x in steps]
        else:
            rows = 7 if layout == "strips" else HEIGHT
            parts += [plane[y : y + rows] for y in range(0, HEIGHT, rows)]
    bodies = [packed(part, bits, order) for part in parts]
    bodies = [zlib.compress(body) if deflate else body for body in bodies]
    if tags.get(266) == (2,):
        bodies = [np.packbits(np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")).tobytes() for body in bodies]  # fmt: skip
    starts, data = [], bytearray(8)
    for body in bodies:
        starts.append(len(data))
        data += body + bytes(len(body) % 2)
    first = {256: (WIDTH,), 257: (HEIGHT,), 258: (bits,) * values.shape[2], 259: (8 if deflate else 1,), 262: (photometric,), 277: (values.shape[2],)}  # fmt: skip
    if photometric == PALETTE:
        first[320] = tuple(MAP[:, : 1 << bits].ravel().tolist())
    long = {324: starts, 325: [*map(len, bodies)]} if layout == "tiles" else {273: starts, 279: [*map(len, bodies)]}
    first |= {322: (16,), 323: (16,)} if layout == "tiles" else {278: (7 if layout == "strips" else HEIGHT,)}
    entries = b""
    for tag, found in sorted({**first, **tags, **long}.items()):
        kind, letter = (4, "I") if tag in long else (3, "H")
        value = struct.pack(f"{order}{len(found)}{letter}", *found)
        if len(value) > 4:
            at = len(data)
            data += value + bytes(len(value) % 2)
            value = struct.pack(f"{order}I", at)
        entries += struct.pack(f"{order}HHI", tag, kind, len(found)) + value.ljust(4, b"\0")
    struct.pack_into(f"{order}2sHI", data, 0, b"II" if order == "<" else b"MM", 42, len(data))
    return bytes(data) + struct.pack(f"{order}H", len(entries) // 12) + entries + bytes(4)


def meant(values: np.ndarray, photometric: int, bits: int, extra: tuple[int, ...]) -> np.ndarray:
    """The picture that the samples mean, by TIFF 6.0, laid on white."""
    eight = (values >> 8 if bits == 16 else np.rint(values * 255 / ((1 << bits) - 1))).astype(np.uint8)
    colours, others = eight[..., : COLOURS[photometric]], eight[..., COLOURS[photometric] :]
    if photometric == PALETTE:
        rgb = np.moveaxis(MAP[:, values[..., 0]] >> 8, 0, 2)
    elif photometric == CMYK:
        rgb = np.asarray(
            Image.frombytes("CMYK", (WIDTH, HEIGHT), np.ascontiguousarray(colours).tobytes()).convert("RGB")
        )
    elif photometric == RGB:
        rgb = colours
    else:
        rgb = np.repeat(255 - colours if photometric == GREY_WHITE else colours, 3, 2)
    alpha = next((place for place, kind in enumerate(extra) if kind in (1, 2)), None)
    if alpha is None:
        return rgb
    share = others[..., alpha : alpha + 1] / 255
    return np.clip((rgb if extra[alpha] == 1 else rgb * share) + 255 * (1 - share), 0, 255).round()


def read(data: bytes) -> np.ndarray | str:
    """The pixels, or what is said of a kind that is not taken. Any other refusal is an error here: the files are whole."""
    try:
        return decode_image(data, ALL).rgb.astype(int)
    except RejectedImage as error:
        if error.kind != "unsupported_format":
            raise
        return str(error)


@pytest.mark.parametrize("photometric", COLOURS)
def test_every_kind_of_tiff_is_read_as_it_was_written_or_not_taken(photometric):
    taken = 0
    for extra, bits, tags, deflate in itertools.product(
        EXTRAS, (1, 2, 4, 8, 16), ({}, PLANES, BITS_FROM_THE_END, PLANES | BITS_FROM_THE_END), (False, True)
    ):
        values = samples(COLOURS[photometric] + len(extra), bits)
        if 1 in extra:  # colours that were multiplied by their alpha
            colours = values[..., : COLOURS[photometric]]
            colours[...] = colours * values[..., [COLOURS[photometric] + extra.index(1)]] // ((1 << bits) - 1)
        more = {f"tag_{tag}": value for tag, value in {**tags, **({338: extra} if extra else {})}.items()}
        for order, layout in itertools.product("<>", ("strip", "strips", "tiles")):
            found = read(tiff(values, photometric, bits, order=order, deflate=deflate, layout=layout, **more))
            if isinstance(found, str):
                continue
            taken += 1
            wrong = (
                np.abs(found - meant(values, photometric, bits, extra)).mean() if photometric not in (YCBCR, LAB) else 0
            )
            assert wrong < 1.5, (extra, bits, tags, deflate, order, layout)
    # As many as the table of docs/operate/formats.md says.
    assert taken / 6 == {GREY_WHITE: 21, GREY: 27, RGB: 28, PALETTE: 17, CMYK: 11, YCBCR: 0, LAB: 2}[photometric]


def test_a_red_of_the_cie_is_red():
    values = np.broadcast_to([138, 81, 70], (HEIGHT, WIDTH, 3))
    assert (np.abs(read(tiff(values, LAB, 8))[5, 5] - [255, 0, 0]) < 6).all()


def test_a_fourth_sample_of_rgb_that_is_not_named_is_alpha():
    values = samples(4, 8)
    assert np.abs(read(tiff(values, RGB, 8)) - meant(values, RGB, 8, (2,))).mean() < 1.5
    assert isinstance(read(tiff(values, RGB, 8, deflate=True, tag_284=(2,))), str)


@pytest.mark.parametrize("more", [{"tag_339": (4,)}, {"tag_258": (8, 8, 16)}])
def test_samples_of_no_or_of_several_kinds_are_not_taken(more):
    assert "is a TIFF of 3 samples" in read(tiff(samples(3, 8), RGB, 8, **more))


def test_the_refusal_says_what_the_tiff_is_and_what_is_taken():
    said = read(tiff(samples(2, 16), GREY, 16, tag_338=(2,)))
    assert said.startswith(
        "is a TIFF of 2 samples of 16 bits, photometric interpretation 1, planar configuration 1, extra samples [2]; taken are grey and "
    )


def bmp(body: bytes, bits: int, *, compression: int = 0, masks: tuple[int, ...] = (), palette=(), size: int = 40) -> bytes:  # fmt: skip
    colours = b"".join(bytes(colour) + b"\0" for colour in palette)
    behind = struct.pack(f"<{len(masks)}I", *masks).ljust(size - 40, b"\0") + colours
    start = 54 + len(behind)
    head = struct.pack("<IiiHHIIiiII", size, 40, 40, 1, bits, compression, len(body), 0, 0, len(palette), 0)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + behind + body


MASKS = {"B": 0xFF0000, "G": 0xFF00, "R": 0xFF}
PIXELS = picture(40, 40)


@pytest.mark.parametrize("order", ["".join(order) for order in itertools.permutations("RGBX")] + ["RGBA", "BGRA", "ABGR", "ARGB", "BGAR"])  # fmt: skip
def test_every_order_of_masks_of_a_bmp_is_read_or_not_taken(order):
    places = {letter: order.index(letter) for letter in order}
    values = np.full((40, 40, 4), 255, np.uint8)
    for channel, letter in enumerate("RGB"):
        values[..., places[letter]] = PIXELS[..., channel]
    masks = tuple(0xFF << 8 * places[letter] if letter in places else 0 for letter in "RGBA")
    found = read(bmp(values[::-1].tobytes(), 32, compression=3, masks=masks, size=108))
    if order in ("BGRX", "BGRA", "RGBA", "XBGR", "ABGR", "BGXR", "BGAR"):
        np.testing.assert_array_equal(found, PIXELS)
    else:
        assert f"masks {masks[0]:#x}, {masks[1]:#x}" in found
        assert "taken are 5-5-5" in found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bits": 8, "compression": 3, "masks": (1, 2, 4, 0)}, "is a BMP of 8 bits with the masks"),
        ({"bits": 32, "compression": 6, "masks": (0xFF0000, 0xFF00, 0xFF, 0)}, "and compression 6"),
        ({"bits": 32, "size": 48}, "with a header of 48 bytes"),
    ],
)
def test_a_legal_bmp_of_another_kind_is_not_called_damaged(changed, said):
    assert said in read(bmp(bytes(40 * 40 * 4), **changed))


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize(
    "palette",
    [
        [(0,) * 3, (255,) * 3],
        [(255,) * 3, (0,) * 3],
        [(grey,) * 3 for grey in range(16)],
        [(17 * grey,) * 3 for grey in range(16)],
        [(0,) * 3],
        [(0,) * 3, (255,) * 3, (9, 9, 200)],
    ],
)
def test_every_palette_of_a_bmp_is_read_or_not_taken(bits, palette):
    if len(palette) > 1 << bits:
        return
    index = np.random.default_rng(0).integers(0, len(palette), (40, 40))
    single = ((index[..., None] >> np.arange(bits - 1, -1, -1)) & 1).reshape(40, -1).astype(np.uint8)
    body = np.pad(np.packbits(single, axis=1), ((0, 0), (0, -(40 * bits // 8) % 4)))
    found = read(bmp(body[::-1].tobytes(), bits, palette=palette))
    if isinstance(found, str):
        assert "greys from 0 on" in found
        assert bits == 4 or len(palette) < 3
    else:
        np.testing.assert_array_equal(found, np.array(palette)[index][..., ::-1])


def test_a_gif_without_its_end_mark_is_noted():
    data = encoded(Image.fromarray(PIXELS).quantize(32), "GIF")
    whole, cut = decode_image(data, ALL), decode_image(data[:-1], ALL)
    assert (whole.note, cut.note) == ("", NO_END_MARK)
    np.testing.assert_array_equal(whole.rgb, cut.rgb)
