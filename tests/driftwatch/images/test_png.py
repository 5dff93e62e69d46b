"""PNG: a file is whole or refused, wherever it is cut or damaged."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import ImageFile as PillowFile

from driftwatch.images.decode import decode_image

from .files import LIMITS, encoded, kind_of, picture


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    packed = (struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_a_png_is_whole_or_refused_wherever_it_is_cut_or_damaged(monkeypatch):
    monkeypatch.setattr(PillowFile, "LOAD_TRUNCATED_IMAGES", True)  # as a library may leave it
    data = encoded(picture(60, 50), "PNG")
    for lost in (1, 8, 12, 13, 16):  # in IEND, and in the sum before it
        assert kind_of(data[:-lost]) == "no_end_mark"
        np.testing.assert_array_equal(decode_image(data[:-lost], LIMITS).rgb, picture(60, 50))
    for lost in (40, 200, 2000):
        assert kind_of(data[:-lost]) == "truncated"
    header, *picture_data, end = png_chunks(data)
    whole = b"".join(content for _, content in picture_data)
    many = [(b"IDAT", whole[at : at + 100]) for at in range(0, len(whole), 100)]
    assert kind_of(png([header, *many, end])) == "whole"
    assert kind_of(png([header, *many[:-3], end])) == kind_of(png([header, *many[:-3]])) == "truncated"
    broken = bytearray(data)
    broken[len(data) // 2] ^= 1
    assert kind_of(bytes(broken)) == "truncated"
    assert kind_of(data + data) == "whole"
