"""A plain JPEG is looked through by a compiled kernel, with the outcome that the whole look has, whatever is wrong with the file."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from driftwatch.images.headers import Check, RejectedImage
from driftwatch.images.jpeg import read_jpeg
from driftwatch.images.kernels import marker_kernels
from driftwatch.images.plain_jpeg import read_jpeg_quickly


def jpeg(mode: str = "RGB", size: tuple[int, int] = (48, 40), **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


EXIF = Image.Exif()
EXIF[0x0112] = 6
KINDS = {
    "colour": jpeg(),
    "grey": jpeg("L"),
    "CMYK": jpeg("CMYK"),
    "progressive": jpeg(progressive=True),
    "restarts": jpeg(restart_marker_blocks=2),
    "turned": jpeg(exif=EXIF),
    "comment": jpeg(comment=b"by hand"),
    "optimized": jpeg(optimize=True, subsampling=0),
    "something behind": jpeg() + b"\xff\xd8 another",
    "no end mark": jpeg()[:-2],
}
PLAIN = {"colour", "grey", "restarts", "optimized", "something behind"}


def outcome(read, data: bytes, most_pixels: int = 10**9) -> object:
    def check(header) -> None:
        if not header.width * header.height or header.width * header.height > most_pixels:
            raise RejectedImage("too_many_pixels", f"is {header.size}", header)

    told: Check = check
    try:
        return read(data, told)
    except RejectedImage as error:
        return error.kind, str(error), error.header


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_file_has_the_same_outcome(kind):
    data = KINDS[kind]
    assert (marker_kernels().plain_jpeg(np.frombuffer(data, np.uint8))[0] > 0) == (kind in PLAIN)
    assert outcome(read_jpeg_quickly, data) == outcome(read_jpeg, data)
    assert outcome(read_jpeg_quickly, data, 100) == outcome(read_jpeg, data, 100)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_off_anywhere_has_the_same_outcome(kind):
    data = KINDS[kind]
    for end in (*range(2, 700), *range(700, len(data), 37)):
        assert outcome(read_jpeg_quickly, data[:end]) == outcome(read_jpeg, data[:end]), end


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_bytes_that_are_changed_lost_or_put_in_has_the_same_outcome(kind):
    chance = random.Random(kind)
    for _ in range(1_500):
        data = bytearray(KINDS[kind])
        for _ in range(chance.choice([1, 1, 2, 8])):
            place = chance.randrange(2, min(len(data), chance.choice([700, len(data)])))
            value = chance.choice([0, 0xFF, 0xD9, 0xDA, 0xC0, 0xC4, 0xD8, chance.randrange(256)])
            change = chance.randrange(3)
            if change == 0:
                data[place] = value
            elif change == 1:
                del data[place : place + chance.randrange(1, 9)]
            else:
                data[place:place] = bytes([0xFF, value])
        assert outcome(read_jpeg_quickly, bytes(data)) == outcome(read_jpeg, bytes(data)), bytes(data).hex()
