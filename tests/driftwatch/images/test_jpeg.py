"""JPEG: what a file does not hold is never taken for a picture, and what is whole is not refused for its looks."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from driftwatch.config import ImagesConfig
from driftwatch.images.decode import decode_image
from driftwatch.images.features import extract_features
from driftwatch.images.headers import RejectedImage
from driftwatch.images.jpeg import _FRAMES

from .files import ACCEPT, JPEG, LIMITS, encoded, kind_of, picture

END = b"\xff\xd9"


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def frame_of(data: bytes) -> int:
    return next(at for at in range(len(data)) if data[at] == 0xFF and data[at + 1] in _FRAMES)


JPEGS = {
    "baseline": JPEG,
    "restarts": encoded(picture(), quality=90, restart_marker_rows=1),
    "progressive": encoded(picture(), quality=90, progressive=True),
    "grey": encoded(Image.fromarray(picture()).convert("L"), quality=90),
    "cmyk": encoded(Image.fromarray(picture()).convert("CMYK"), quality=90),
}


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_is_judged_by_what_its_data_hold_and_not_by_its_end_mark(name):
    data = JPEGS[name]
    cut = data[: len(data) * 3 // 10]
    assert kind_of(data) == kind_of(data + b"\0" * 100) == kind_of(data + data) == "whole"
    assert kind_of(data[:-2]) == kind_of(data[:-1]) == kind_of(data[:-2] + data) == "no_end_mark"
    assert kind_of(data[:-2] + bytes(300) + END) == "whole"  # filled up
    for broken in (cut, cut + END, cut + data, cut + bytes(len(data)), cut + bytes(len(data)) + END):
        assert kind_of(broken) == "truncated"
    for lost in (4, 6, 12, 40):  # a part of the last blocks
        assert kind_of(data[:-lost]) == kind_of(data[:-lost] + END) == "truncated"
    whole = decode_image(data, LIMITS).rgb
    np.testing.assert_array_equal(decode_image(data[:-2], LIMITS).rgb, whole)
    np.testing.assert_array_equal(decode_image(data[:-2] + bytes(300) + END, LIMITS).rgb, whole)


@pytest.mark.parametrize("name", ["baseline", "restarts", "progressive"])
def test_damaged_picture_data_are_refused(name):
    data, rng = JPEGS[name], np.random.default_rng(0)
    for _ in range(20):
        broken = bytearray(data)
        at = rng.integers(len(data) // 3, len(data) * 2 // 3)
        broken[at : at + 300] = rng.integers(0, 256, 300, dtype=np.uint8).tobytes()
        assert kind_of(bytes(broken)) == kind_of(bytes(broken), ACCEPT) == "truncated"


def test_real_photos_are_whole_and_lose_nothing_but_what_is_cut(shared):
    photos = sorted((shared / "photos").glob("*/*.jpg"))[::100]
    assert len(photos) > 10
    for path in photos:
        data = path.read_bytes()
        whole = decode_image(data, LIMITS)
        assert whole.note == ""
        np.testing.assert_array_equal(whole.rgb, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB))
        assert kind_of(data[:-2]) == "no_end_mark"
        half = data[: len(data) // 2] + END
        assert kind_of(half) == "truncated"
        rows = decode_image(half, ImagesConfig(damaged="accept", max_missing_share=1, min_side=1)).rgb
        np.testing.assert_array_equal(rows[:-1], whole.rgb[: len(rows) - 1])


def test_a_progressive_jpeg_that_ends_between_its_scans_is_coarse_and_refused():
    data = JPEGS["progressive"]
    scans = [at for at in range(700, len(data) - 1) if data[at : at + 2] == b"\xff\xc4"]
    assert len(scans) >= 4
    for at in scans:
        assert kind_of(data[:at] + END) == kind_of(data[:at]) == "truncated"


def test_what_libjpeg_warns_of_beside_the_picture_refuses_nothing():
    scan = JPEG.index(b"\xff\xda")
    end = scan + 2 + int.from_bytes(JPEG[scan + 2 : scan + 4], "big")
    for odd in (
        JPEG[:2] + segment(0xE2, b"ICC_PROFILE\0\1\3" + bytes(50)) + JPEG[2:],
        JPEG.replace(b"JFIF\0\1", b"JFIF\0\3", 1),
        JPEG[: end - 2] + b"\0\0" + JPEG[end:],
        JPEG[:2] + segment(0xFE, END + b"\xff\xd8") + JPEG[2:],
    ):
        assert kind_of(odd) == "whole"
        assert kind_of(odd[: len(odd) // 2] + END) == "truncated"
        np.testing.assert_array_equal(decode_image(odd, LIMITS).rgb, decode_image(JPEG, LIMITS).rgb)


def oddly_sampled() -> bytes:
    """Mid-grey, 96 x 64, with three times as many samples of brightness as of colour in each row: 4 x 8 units of five blocks, each
    of the codes of "no change" and "no details"."""
    data = bytearray(encoded(np.full((64, 96, 3), 128, np.uint8), subsampling=0))
    frame, scan = frame_of(data), data.index(b"\xff\xda")
    data[frame + 11] = 0x31
    data[scan + 6 : scan + 11 : 2] = bytes(3)  # one pair of code tables for all
    bits = int("001010" * 160, 2).to_bytes(120, "big")
    return bytes(data[: scan + 14]) + bits + END


def test_sampling_that_simplejpeg_does_not_know_is_decoded_and_its_damage_seen():
    data = oddly_sampled()
    assert kind_of(data) == "whole"
    assert (decode_image(data, LIMITS).rgb == 128).all()
    assert kind_of(data[:-2]) == "no_end_mark"
    assert kind_of(data[:-20] + END) == kind_of(data[:-20]) == "truncated"


def test_jpegs_that_nobody_can_show_are_unsupported():
    at = frame_of(JPEG)
    for marker, bits, word in (
        (0xC0, 12, "12 bits"),
        (0xC3, 8, "lossless"),
        (0xC9, 8, "arithmetic"),
        (0xC5, 8, "hier"),
    ):
        data = bytearray(JPEG)
        data[at + 1], data[at + 4] = marker, bits
        with pytest.raises(RejectedImage, match=word) as refused:
            decode_image(bytes(data), LIMITS)
        assert refused.value.kind == "unsupported_format"


def test_cmyk_has_the_pixels_that_pillow_gives_it():
    expected = np.asarray(Image.open(io.BytesIO(JPEGS["cmyk"])).convert("RGB"))
    np.testing.assert_array_equal(decode_image(JPEGS["cmyk"], LIMITS).rgb, expected)


@pytest.mark.parametrize("name", ["baseline", "restarts", "grey"])
@pytest.mark.parametrize("end", [b"", END])
def test_rows_that_a_cut_file_does_not_hold_enter_nothing(name, end, tmp_path):
    data = JPEGS[name]
    found = decode_image(data[: len(data) // 2] + end, ACCEPT)
    rows = len(found.rgb)
    assert 80 < rows < 160
    assert rows % 8 == 0
    assert found.note == f"cut_short: the file holds the upper {rows} of 240 rows; the others are left out"
    # But for the row that blends with the next in colours, these are the pixels of the whole picture.
    np.testing.assert_array_equal(found.rgb[:-1], decode_image(data, LIMITS).rgb[: rows - 1])
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: len(data) // 2] + end)
    assert extract_features([path], ACCEPT)["image.ImagePixelHeight"].tolist() == [rows]


def test_what_is_accepted_of_a_cut_file_has_a_limit():
    half = JPEG[: len(JPEG) // 2]
    with pytest.raises(RejectedImage, match=r"the upper \d+ of 240 rows; images\.max_missing_share is 0\.3"):
        decode_image(half, ImagesConfig(damaged="accept", max_missing_share=0.3))
    with pytest.raises(RejectedImage, match="the upper 0 of 240 rows"):
        decode_image(JPEG[: JPEG.index(b"\xff\xda") + 20], ACCEPT)
    assert kind_of(half) == "truncated"
    assert kind_of(JPEGS["progressive"][:-500], ACCEPT) == "truncated"


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_cut_file_is_turned_after_its_rows_were_counted(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture(), quality=90, exif=exif)
    found = decode_image(data[: len(data) // 2], ACCEPT).rgb
    assert (found.shape[0 if orientation == 3 else 1]) < 200
    turned = np.rot90(found, 2 if orientation == 3 else 1)
    np.testing.assert_array_equal(turned[:-1], decode_image(JPEG, LIMITS).rgb[: len(turned) - 1])
