"""Decoding: what is accepted becomes upright 8-bit RGB, what is not is refused before it can do harm."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from driftwatch.config import ImagesConfig
from driftwatch.images import decode
from driftwatch.images.decode import check_file, decode_image
from driftwatch.images.headers import REASON_KINDS, RejectedImage

from .files import LIMITS, encoded


def picture(width: int = 120, height: int = 80, seed: int = 0) -> np.ndarray:
    """Smooth and colourful, with a bright corner at the top left that shows how it is turned."""
    rng = np.random.default_rng(seed)
    rgb = cv2.resize(rng.integers(40, 200, (8, 12, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    rgb[: height // 4, : width // 4] = (250, 240, 20)
    return rgb


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def refusal(data: bytes, limits: ImagesConfig = LIMITS) -> RejectedImage:
    with pytest.raises(RejectedImage) as caught:
        decode_image(data, limits)
    assert caught.value.kind in REASON_KINDS
    return caught.value


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_come_back_pixel_for_pixel(kind, options):
    found = decode_image(encoded(picture(), kind, **options), LIMITS)
    assert found.format == kind
    np.testing.assert_array_equal(found.rgb, picture())


def test_a_jpeg_has_the_pixels_that_pillow_gives_it():
    data = encoded(picture(), quality=85)
    np.testing.assert_array_equal(decode_image(data, LIMITS).rgb, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_rotation_is_applied_in_every_format(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture(), kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    from PIL import ImageOps

    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    found = decode_image(data, LIMITS).rgb
    assert found.shape == ((120, 80, 3) if orientation > 4 else (80, 120, 3))
    np.testing.assert_array_equal(found, upright)


def test_cmyk_keeps_its_colours():
    data = encoded(Image.fromarray(picture()).convert("CMYK"), quality=95)
    assert check_file(data, LIMITS).header.channels == 4
    assert np.abs(decode_image(data, LIMITS).rgb.astype(int) - picture()).mean() < 4


def test_sixteen_bits_are_scaled_and_not_clipped():
    grey = (np.arange(80 * 120).reshape(80, 120) * 6).astype(np.uint16)
    found = decode_image(encoded(Image.fromarray(grey), "PNG"), LIMITS).rgb
    np.testing.assert_array_equal(found, np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, axis=2))


def test_sixteen_bit_colour_is_scaled():
    deep = cv2.imencode(".png", picture()[..., ::-1].astype(np.uint16) * 257)[1].tobytes()
    np.testing.assert_array_equal(decode_image(deep, LIMITS).rgb, picture())


def test_transparency_is_laid_on_white():
    alpha = np.full((80, 120, 1), 255, np.uint8)
    alpha[40:] = 0
    found = decode_image(encoded(np.concatenate([picture(), alpha], axis=2), "PNG"), LIMITS).rgb
    np.testing.assert_array_equal(found[:40], picture()[:40])
    assert (found[40:] == 255).all()


def test_a_palette_with_transparency_becomes_its_colours_on_white():
    image = Image.fromarray(np.repeat(np.arange(80, dtype=np.uint8)[:, None] // 40, 120, axis=1)).convert("P")
    image.putpalette([200, 10, 10, 10, 10, 200])
    found = decode_image(encoded(image, "PNG", transparency=1), LIMITS).rgb
    assert (found[:40] == (200, 10, 10)).all()
    assert (found[40:] == 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_grey_becomes_three_equal_channels(kind):
    found = decode_image(encoded(Image.fromarray(picture()).convert("L"), kind), LIMITS).rgb
    assert found.shape == (80, 120, 3)
    assert (found[..., 0] == found[..., 1]).all()
    assert (found[..., 1] == found[..., 2]).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(kind):
    later = [Image.fromarray(picture(seed=seed)) for seed in (1, 2)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(Image.fromarray(picture()), kind, save_all=True, append_images=later, **options)
    np.testing.assert_array_equal(decode_image(data, LIMITS).rgb, picture())


def test_each_refusal_has_its_kind():
    jpeg = encoded(picture())
    assert refusal(b"").kind == "empty"
    assert refusal(jpeg, ImagesConfig(max_bytes=100)).kind == "too_many_bytes"
    assert refusal(b"These are the cats of last summer.").kind == "not_an_image"
    assert refusal(b"\xff\xd8\xff\xd9 nothing in it").kind == "not_an_image"
    assert refusal(encoded(picture(), "GIF")).kind == "unsupported_format"
    assert refusal(encoded(picture(), "BMP")).kind == "unsupported_format"
    assert refusal(encoded(picture(), "TIFF")).kind == "unsupported_format"
    assert refusal(encoded(picture(), "AVIF")).kind == "unsupported_format"
    assert refusal(encoded(picture(31, 200))).kind == "too_small"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_short_is_refused_wherever_the_cut_is(kind, share):
    data = encoded(picture(400, 300), kind)
    assert refusal(data[: max(12, int((len(data) - 12) * share))]).kind == "truncated"


def test_a_progressive_jpeg_without_its_end_is_refused():
    data = encoded(picture(400, 300), progressive=True)
    assert refusal(data[:-20]).kind == "truncated"


def test_a_thumbnail_inside_the_header_does_not_pass_for_the_end_of_the_picture():
    exif = b"Exif\0\0" + encoded(picture(60, 40))
    data = encoded(picture(400, 300))
    with_thumbnail = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    assert decode_image(with_thumbnail, LIMITS).rgb.shape == (300, 400, 3)
    assert refusal(with_thumbnail[: len(exif) + len(data) // 2]).kind == "truncated"


@pytest.mark.parametrize(
    "data",
    [
        png_header(50_000, 50_000),
        encoded(picture(8, 8)).replace(b"\x00\x08\x00\x08\x03", struct.pack(">HH", 50_000, 50_000) + b"\x03", 1),
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (9999).to_bytes(3, "little") * 2,
    ],
    ids=["png", "jpeg", "webp"],
)
def test_a_decompression_bomb_is_never_decoded(data, monkeypatch):
    monkeypatch.setattr(decode, "decode_jpeg", lambda *_: pytest.fail("decoded"))
    monkeypatch.setattr(decode.Image, "open", lambda *_, **__: pytest.fail("opened"))
    error = refusal(data)
    assert error.kind == "too_many_pixels"
    assert error.header is not None
    assert str(error.header.width) in str(error)


def test_damaged_bytes_end_in_a_picture_or_a_refusal_and_nothing_else():
    rng = np.random.default_rng(0)
    files = [encoded(picture(), kind) for kind in ("JPEG", "PNG", "WEBP")] + [
        encoded(Image.fromarray(picture()).convert("CMYK")),
        encoded(picture(), exif=b"Exif\0\0" + bytes(40)),
    ]
    refused = 0
    for trial in range(600):
        data = bytearray(files[trial % len(files)])
        for position in rng.integers(0, min(len(data), 400) if trial % 2 else len(data), 4):
            data[position] = rng.integers(256)
        try:
            rgb = decode_image(bytes(data), LIMITS).rgb
            assert rgb.dtype == np.uint8
            assert rgb.shape[2] == 3
        except RejectedImage:
            refused += 1
    assert 50 < refused < 600
