"""The model's input of a picture is what production's own library makes of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.images.decode import decode_image
from driftwatch.images.headers import REASON_KINDS, RejectedImage
from driftwatch.images.resize import model_input

from .files import encoded, picture

SHAPES = [(480, 640), (101, 333), (37, 29), (300, 50), (64, 64)]
SIZES = [(96, 96), (64, 128), (200, 16)]
PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}
OPENCV = {
    "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST_EXACT, "area": cv2.INTER_AREA,
}  # fmt: skip


def noise(height: int, width: int) -> np.ndarray:
    """The hardest picture for a resize: each pixel is another."""
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def levels_off(found: np.ndarray, expected: np.ndarray) -> float:
    assert found.shape == expected.shape
    assert found.dtype == np.uint8
    return float(np.abs(found.astype(float) - np.clip(expected, 0, 255)).max())


def made(rgb: np.ndarray, size: tuple[int, int], **settings: object) -> np.ndarray:
    return model_input(rgb, ModelInput(height=size[0], width=size[1], **settings))


# A squash by areas: the default, and what every monitor stored before there were settings.


def test_the_model_input_is_the_area_average_of_the_whole_picture():
    rgb = picture(512, 384)
    expected = cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_AREA).astype(int)
    found = model_input(rgb, ModelInput.square(64))
    assert found.shape == (64, 64, 3)
    assert np.abs(found - expected).mean() < 2
    assert model_input(picture(40, 33), ModelInput.square(64)).shape == (64, 64, 3)


@pytest.mark.parametrize("shape", [(374, 500), (191, 191), (97, 5000), (96, 288), (192, 96), (60, 400), (48, 48)])
def test_the_input_is_what_opencvs_area_averaging_gives(shape):
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    halved = rgb
    while min(halved.shape[:2]) >= 2 * 96:
        height, width = halved.shape[0] // 2, halved.shape[1] // 2
        halved = cv2.resize(halved[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(halved, (96, 96), interpolation=cv2.INTER_AREA)
    off = np.abs(model_input(rgb, ModelInput.square(96)).astype(int) - expected)
    assert off.max() <= 1  # a tie may round to the other side
    assert (off > 0).mean() < 1e-3


# The other ways to resize, squashed to squares and to other shapes, smaller and larger than the picture.


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["bilinear", "bicubic", "nearest"])
def test_with_antialias_it_is_pillows_and_so_torchvisions(shape, name):
    rgb = noise(*shape)
    for size in SIZES:
        expected = np.asarray(Image.fromarray(rgb).resize(size[::-1], PILLOW[name]))
        assert levels_off(made(rgb, size, interpolation=name), expected) <= (0 if name == "nearest" else 1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
def test_without_antialias_it_is_opencvs(shape, name):
    rgb = noise(*shape)
    for size in SIZES:
        expected = cv2.resize(rgb, size[::-1], interpolation=OPENCV[name])
        assert levels_off(made(rgb, size, interpolation=name, antialias=False), expected) <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("name", ["bilinear", "bicubic_tf"])
def test_it_is_tensorflows_but_for_the_rounding_to_a_whole_level(shape, antialias, name):
    import tensorflow as tf

    rgb, size = noise(*shape), (64, 128)
    expected = tf.image.resize(rgb, size, name.removesuffix("_tf"), antialias=antialias).numpy()
    assert levels_off(made(rgb, size, interpolation=name, antialias=antialias), expected) < 1


def test_nearest_is_tensorflows_and_opencvs_where_no_middle_lies_on_an_edge():
    import tensorflow as tf

    rgb, size = noise(101, 333), (64, 128)
    found = made(rgb, size, interpolation="nearest")
    assert levels_off(found, tf.image.resize(rgb, size, "nearest").numpy()) == 0
    assert levels_off(found, cv2.resize(rgb, size[::-1], interpolation=OPENCV["nearest"])) == 0


# A crop is a resize of the shorter side, of which the middle is cut out.


def resized_and_cut(rgb: np.ndarray, resized: int, size: int, resize) -> np.ndarray:
    """torchvision's Resize(resized) and CenterCrop(size), by another library's `resize(rgb, (width, height))`."""
    height, width = rgb.shape[:2]
    short = min(height, width)
    wide, high = (resized if side == short else int(resized * side / short) for side in (width, height))
    top, left = round((high - size) / 2), round((wide - size) / 2)
    return resize(rgb, (wide, high))[top : top + size, left : left + size]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("resized", "size", "share"), [(256, 224, 0.875), (96, 96, 1), (73, 64, 0.8767)])
@pytest.mark.parametrize("name", ["bilinear", "bicubic", "nearest"])
def test_a_crop_is_torchvisions_resize_and_center_crop(shape, resized, size, share, name):
    rgb = noise(*shape)
    expected = resized_and_cut(
        rgb, resized, size, lambda p, to: np.asarray(Image.fromarray(p).resize(to, PILLOW[name]))
    )
    assert levels_off(made(rgb, (size, size), resize="crop", crop_share=share, interpolation=name), expected) <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["bilinear", "bicubic", "area"])
def test_a_crop_without_antialias_is_opencvs_resize_of_which_the_middle_is_cut_out(shape, name):
    rgb = noise(*shape)
    expected = resized_and_cut(rgb, 128, 112, lambda p, to: cv2.resize(p, to, interpolation=OPENCV[name]))
    found = made(rgb, (112, 112), resize="crop", crop_share=0.875, interpolation=name, antialias=False)
    assert levels_off(found, expected) <= 1


def test_a_crop_that_is_not_square_covers_its_size_and_keeps_the_middle():
    """Each pixel of the picture says where it lies."""
    rows, columns = np.mgrid[0:200, 0:240]
    rgb = np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)
    high = made(rgb, (100, 30), resize="crop", interpolation="nearest")  # resized to 100 x 120
    np.testing.assert_array_equal(high[:, 0, 0], np.arange(1, 200, 2))
    np.testing.assert_array_equal(high[0, :, 1], np.arange(91, 151, 2))
    wide = made(rgb, (50, 120), resize="crop", interpolation="nearest")
    np.testing.assert_array_equal(wide[:, 0, 0], np.arange(51, 151, 2))
    np.testing.assert_array_equal(wide[0, :, 1], np.arange(1, 240, 2))


@pytest.mark.parametrize(
    ("side", "share", "resized"), [(224, 0.875, 256), (224, 0.9, 248), (224, 0.949, 236), (224, 0.9492, 236), (299, 0.897, 333)]
)  # fmt: skip
def test_the_resized_side_is_timms(side, share, resized):
    rgb = noise(resized, resized)
    cut = round((resized - side) / 2)
    expected = rgb[cut : cut + side, cut : cut + side]
    np.testing.assert_array_equal(
        made(rgb, (side, side), resize="crop", crop_share=share, interpolation="nearest"), expected
    )


# A pad is a resize of the longer side, in the middle of a filling.


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
def test_a_pad_is_pillows(shape, name):
    rgb = noise(*shape)
    for size in SIZES:
        expected = np.asarray(ImageOps.pad(Image.fromarray(rgb), size[::-1], PILLOW[name], color=(114, 114, 114)))
        assert levels_off(made(rgb, size, resize="pad", pad_value=114, interpolation=name), expected) <= 1


@pytest.mark.parametrize("shape", [(480, 640), (30, 20)])
def test_a_pad_by_areas_is_opencvs_inside_the_filling(shape):
    rgb = noise(*shape)
    found = made(rgb, (96, 96), resize="pad")
    inside = (slice(12, 84), slice(None)) if shape == (480, 640) else (slice(None), slice(16, 80))
    high, wide = found[inside].shape[:2]
    assert levels_off(found[inside], cv2.resize(rgb, (wide, high), interpolation=cv2.INTER_AREA)) <= 1
    filling = np.ones((96, 96), bool)
    filling[inside] = False
    assert not found[filling].any()


# Hostile sizes.


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("name", ["area", "nearest", "bilinear", "bicubic", "bicubic_tf"])
@pytest.mark.parametrize("antialias", [True, False])
def test_any_picture_is_resized_to_any_size(resize, name, antialias):
    """A picture of one colour stays one: no pixel comes from beyond the edge, and none is left out."""
    colour, filling = (200, 100, 7), (5, 5, 5)
    for shape in [(1, 600), (600, 1), (1, 1), (17, 3)]:
        for size in [(16, 1024), (1024, 16), (33, 47)]:
            rgb = np.full((*shape, 3), colour, np.uint8)
            found = made(rgb, size, resize=resize, interpolation=name, antialias=antialias, pad_value=5, crop_share=0.7)
            assert found.shape == (*size, 3)
            colours = {tuple(each) for each in np.unique(found.reshape(-1, 3), axis=0).tolist()}
            assert colour in colours
            assert colours <= ({colour, filling} if resize == "pad" else {colour})


def test_a_strip_is_cropped_without_resizing_all_of_it():
    """Resized as a whole it would have 1024 x 1,024,000 pixels: three gigabytes."""
    import tracemalloc

    tracemalloc.start()
    made(noise(1, 900), (1024, 1024), resize="crop", interpolation="bilinear")
    made(noise(1, 900), (1024, 1024), resize="crop", interpolation="area")
    made(noise(1, 900), (1024, 1024), resize="crop", interpolation="bicubic")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50_000_000


def test_a_strip_without_an_end_is_rejected_by_name():
    with pytest.raises(RejectedImage, match=r"2000 x 1 pixels.*2048000 long, and 1000000 is the most") as caught:
        made(noise(1, 2000), (1024, 1024), resize="crop", interpolation="nearest")
    assert caught.value.kind == "too_complex"


def test_nothing_is_resized_where_the_monitor_file_says_none_and_another_size_is_rejected():
    rgb = noise(48, 80)
    np.testing.assert_array_equal(made(rgb, (48, 80), resize="none"), rgb)
    with pytest.raises(
        RejectedImage, match=r"is 80 x 48 pixels, and the model takes 48 x 80: model.input.resize is none"
    ) as caught:
        made(rgb, (80, 48), resize="none")
    assert caught.value.kind == "other_size"
    assert caught.value.kind in REASON_KINDS


def test_an_exif_rotated_picture_is_upright_before_it_is_resized():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right by 90 degrees
    upright = decode_image(encoded(picture(80, 48), exif=exif), ImagesConfig()).rgb
    assert upright.shape == (80, 48, 3)
    np.testing.assert_array_equal(made(upright, (80, 48), resize="none"), upright)
