"""A large JPEG is not decoded whole: what the pass makes of it is what it would make of all its pixels, and damage is seen as before."""

from __future__ import annotations

import io
from datetime import date

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.images.decode import check_file, decode_file, picture_of
from driftwatch.images.features import COLUMNS, image_features
from driftwatch.images.headers import ImageFile, RejectedImage
from driftwatch.images.ingest import DayModel, begin_day, ingest_day, ingest_shard, merge_shards
from driftwatch.images.near_duplicates import HASHED_SIDE, distances, perceptual_hash
from driftwatch.images.picture import Picture, sampling, window
from driftwatch.images.resize import Halvings, model_input, rows_and_columns
from driftwatch.images.scaled import read_scaled
from driftwatch.storage import open_storage

from .days import day_of
from .files import ACCEPT, LIMITS, encoded, picture

DAY = DayKeys("cats", date(2026, 7, 27))
HEIGHT, WIDTH = 1003, 1401
NEEDED = HEIGHT // 8, HEIGHT // 8


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    """Smooth and noisy stretches, dark and light ones, and hard edges."""
    drawn = picture(WIDTH, HEIGHT)
    drawn[: HEIGHT // 2] = cv2.GaussianBlur(drawn[: HEIGHT // 2], (0, 0), 3)
    drawn[200:600, 300:700] = 255
    drawn[500:900, 600:1000] //= 8
    return drawn


def of_kind(rgb: np.ndarray, kind: str) -> bytes:
    if kind == "grey":
        return encoded(Image.fromarray(rgb).convert("L"), quality=88)
    if kind == "440":
        return simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), 88, colorsubsampling="440")
    options = {
        "444": {"subsampling": 0},
        "422": {"subsampling": 1},
        "420": {"subsampling": 2},
        "optimized": {"optimize": True},
        "restarts": {"restart_marker_rows": 1},
        "restarts within rows": {"restart_marker_blocks": 7},
        "coarse": {"quality": 10},
        "finest": {"quality": 100},  # of blocks whose last coefficient is not zero, so that no code ends them
        "finest, 444": {"quality": 100, "subsampling": 0},
    }
    return encoded(rgb, **{"quality": 88, **options[kind]})


def looked_at(data: bytes) -> tuple[ImageFile, Picture]:
    file = check_file(data, LIMITS)
    found = read_scaled(file, *NEEDED)
    assert found is not None
    return file, found


def compared(data: bytes) -> None:
    file, found = looked_at(data)
    whole = decode_file(file, LIMITS).rgb
    assert (found.height, found.width) == whole.shape[:2]
    step, (top, rows), (left, columns) = sampling(*whole.shape[:2]), *(window(side) for side in whole.shape[:2])
    np.testing.assert_array_equal(found.detail, whole[top : top + rows, left : left + columns])
    high, wide = (side // step * step for side in whole.shape[:2])
    apart = np.abs(found.sample.astype(int) - whole[:high:step, :wide:step])
    assert found.sample.shape == whole[:high:step, :wide:step].shape
    assert apart.mean() < 0.8
    assert np.quantile(apart, 0.99) < 8  # colours beside the edge of a block are not smoothed across it
    high, wide = (side // 8 for side in whole.shape[:2])
    placed = np.s_[-8 * high :] if file.orientation in (3, 4, 7, 8) else np.s_[: 8 * high]
    beside = np.s_[-8 * wide :] if file.orientation in (2, 3, 6, 7) else np.s_[: 8 * wide]
    averages = whole[placed, beside].reshape(high, 8, wide, 8, 3).mean(axis=(1, 3))
    assert np.abs(found.rgb - averages).mean() < 0.8


@pytest.mark.parametrize(
    "kind",
    [
        "444",
        "422",
        "440",
        "420",
        "grey",
        "optimized",
        "restarts",
        "restarts within rows",
        "coarse",
        "finest",
        "finest, 444",
    ],
)
def test_window_sample_and_averages_are_those_of_the_whole_picture(rgb, kind):
    compared(of_kind(rgb, kind))


@pytest.mark.parametrize("kind", ["420", "restarts"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_they_are_turned_as_exif_says(rgb, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.open(io.BytesIO(of_kind(rgb, kind)))
    compared(encoded(image, quality=88, exif=exif, **({"restart_marker_rows": 1} if kind == "restarts" else {})))


@pytest.mark.parametrize("width", range(1400, 1417))
def test_any_width_and_height_will_do(rgb, width):
    compared(encoded(cv2.resize(rgb, (width, width - 400)), quality=88))


def test_averages_over_four_pixels_where_over_eight_are_too_few(rgb):
    file = check_file(of_kind(rgb, "420"), LIMITS)
    found, whole = read_scaled(file, 200, 200), decode_file(file, LIMITS).rgb
    assert found is not None
    high, wide = HEIGHT // 4, WIDTH // 4
    assert found.rgb.shape == (high, wide, 3)
    averages = whole[: 4 * high, : 4 * wide].reshape(high, 4, wide, 4, 3).mean(axis=(1, 3))
    assert np.abs(found.rgb - averages).mean() < 1


def test_features_and_hash_are_those_of_the_whole_picture(rgb):
    for kind in ("444", "420", "grey"):
        file, found = looked_at(of_kind(rgb, kind))
        whole = decode_file(file, LIMITS).rgb
        ours, theirs = (dict(zip(COLUMNS, image_features(each), strict=True)) for each in (found, whole))
        for name, value in theirs.items():
            if ".Sharpness." in name or ".ImagePixel" in name:
                assert ours[name] == value, name
            else:
                assert ours[name] == pytest.approx(value, abs=0.01 if "entropy" in name else 0.8), name
        assert distances([perceptual_hash(found.rgb)], [perceptual_hash(whole)])[0, 0] <= 1


WAYS = [
    {},
    {"resize": "crop", "crop_share": 0.875},
    {"resize": "pad"},
    *(
        {"resize": way, "interpolation": name}
        for way in ("squash", "crop", "pad")
        for name in ("bilinear", "bicubic", "bicubic_tf")
    ),
]


@pytest.mark.parametrize("about", WAYS, ids=str)
def test_stored_inputs_are_within_one_grey_level_of_those_of_the_whole_picture(rgb, about):
    file = check_file(of_kind(rgb, "420"), LIMITS)
    pixels = ModelInput(height=96, width=112, **about)
    needed = rows_and_columns(HEIGHT, WIDTH, pixels)
    assert needed is not None
    found = read_scaled(file, *needed)
    assert found is not None
    ours = model_input(Halvings(found.rgb, (found.height, found.width)), pixels)
    theirs = model_input(decode_file(file, LIMITS).rgb, pixels)
    assert np.abs(ours.astype(int) - theirs).mean() < 1


def test_a_model_that_sees_the_pictures_own_pixels_needs_them_all():
    for about in (
        {"resize": "none"},
        {"interpolation": "nearest"},
        {"interpolation": "bilinear", "antialias": False},
        {"resize": "crop", "crop_share": 1e-4},
    ):
        pixels = ModelInput(height=96, width=96, **about)
        assert rows_and_columns(100, 10**6, pixels) is None
    squashed = ModelInput(height=96, width=96)
    assert rows_and_columns(1000, 2000, squashed) == (96, 96)


def test_what_is_read_another_way_is_decoded_whole(rgb):
    red_green_blue = encoded(rgb, quality=88, keep_rgb=True)
    two_scans = encoded(rgb, quality=88, progressive=True)
    inks = encoded(Image.fromarray(rgb).convert("CMYK"), quality=88)
    for data in (red_green_blue, two_scans, inks, encoded(rgb, "PNG"), encoded(rgb[:700, :1000], quality=88)):
        file = check_file(data, LIMITS)
        assert read_scaled(file, 80, 80) is None
        found, _ = picture_of(file, LIMITS, (80, 80))
        np.testing.assert_array_equal(found.rgb, decode_file(file, LIMITS).rgb)
    assert read_scaled(check_file(of_kind(rgb, "420"), LIMITS), HEIGHT // 4 + 1, 100) is None


def verdict(data: bytes, limits, scaled: bool) -> str:
    try:
        file = check_file(data, limits)
        if scaled:
            return picture_of(file, limits, (HASHED_SIDE - 8, HASHED_SIDE))[1] or "whole"
        return decode_file(file, limits).note or "whole"
    except RejectedImage as error:
        return f"{error.kind}: {error}"


def damaged_files(data: bytes) -> list[bytes]:
    """Cut, with holes, and with wrong bytes, from the header to the end."""
    rng = np.random.default_rng(0)
    end = b"\xff\xd9"
    files = [data, data[:-2], data[:-1], data[:-2] + bytes(300) + end, data + data]
    for share in np.linspace(0.02, 0.999, 7):
        cut = data[: int(len(data) * share)]
        files += [cut, cut + end, cut + bytes(2000) + end]
    for lost in (3, 4, 6, 12, 40):
        files += [data[:-lost], data[:-lost] + end]
    for length in (1, 1, 8, 512):
        for place in (*rng.integers(0, 700, 2), *rng.integers(700, len(data) - length, 3)):
            broken = bytearray(data)
            broken[place : place + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
            files.append(bytes(broken))
            files.append(data[:place] + data[place + length :])
    return files


@pytest.mark.parametrize("kind", ["420", "grey", "restarts"])
def test_damage_is_seen_wherever_it_is_just_as_in_the_whole(rgb, kind):
    files = damaged_files(of_kind(rgb, kind))
    seen = set()
    for limits in (LIMITS, ACCEPT):
        for number, data in enumerate(files[:: 1 if limits is LIMITS else 3]):
            expected = verdict(data, limits, scaled=False)
            assert verdict(data, limits, scaled=True) == expected, number
            seen.add(expected.partition(":")[0])
    assert {"whole", "truncated", "no_end_mark", "cut_short"} <= seen


def test_tables_that_libjpeg_refuses_are_refused(rgb):
    data = bytearray(of_kind(rgb, "420"))
    codes = data.index(b"\xff\xc4")
    for counts, place in (
        (b"\3", 5),
        (b"\xff", 10),
    ):  # more codes of one bit than there are; more values than the segment has
        broken = bytearray(data)
        broken[codes + place : codes + place + 1] = counts
        expected = verdict(bytes(broken), LIMITS, scaled=False)
        assert expected.startswith("truncated")
        assert verdict(bytes(broken), LIMITS, scaled=True) == expected


@pytest.mark.parametrize("shard_size", [256, 5000])
def test_a_day_says_how_its_large_images_were_made_and_can_be_made_as_before(rgb, tmp_path, shard_size):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_bytes(f"{DAY.incoming}/a.jpg", of_kind(rgb, "420"))
    for number in range(270):
        small = np.full((40, 40 + number, 3), number % 256, np.uint8)
        storage.write_bytes(f"{DAY.incoming}/{number:03d}.png", encoded(small, "PNG"))
    day = day_of(storage, DAY, ImagesConfig(shard_size=shard_size, settle_seconds=0))
    found = {}
    for decoding in (1, 2):
        model = DayModel("v1", ModelInput.square(32), decoding)
        found_of_day = begin_day(day, model)
        if isinstance(found_of_day, list):
            assert len(found_of_day) == 2
            for shard in found_of_day:
                ingest_shard(day, shard)
            found_of_day = merge_shards(day)
        counts = found_of_day
        assert counts.decoding == decoding
        assert day.read(Ingest).decoding == decoding
        features = storage.read_table(DAY.features)
        found[decoding] = features.loc[features["image.ImagePixelWidth"] == WIDTH, list(COLUMNS)].iloc[0].tolist()
    whole = image_features(decode_file(check_file(of_kind(rgb, "420"), LIMITS), LIMITS).rgb)
    assert found[1] == whole
    assert found[2] != whole
    storage.delete(f"{DAY.incoming}/a.jpg")
    assert "decoding" not in ingest_day(day_of(storage, DAY, ImagesConfig(settle_seconds=0)), model).model_fields_set
