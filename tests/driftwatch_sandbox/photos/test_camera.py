"""The broken camera."""

import cv2
import numpy as np
import pytest
from PIL import Image

from driftwatch.errors import DriftwatchError
from driftwatch_sandbox.photos import break_camera, break_file, draw, write_photos


def sharpness(image: Image.Image) -> float:
    """The variance of the Laplacian, which only edges and texture raise."""
    return float(cv2.Laplacian(np.asarray(image.convert("L")), cv2.CV_64F).var())


@pytest.mark.parametrize("kind", ["pixelate", "blur"])
def test_the_broken_camera_takes_the_sharpness_and_leaves_size_and_brightness(kind):
    for seed in range(5):
        photo = draw("cat", seed)
        broken = break_camera(photo, kind)
        assert broken.size == photo.size
        assert broken.mode == "RGB"
        assert sharpness(broken) < 0.75 * sharpness(photo)
        assert abs(np.asarray(broken).mean() - np.asarray(photo).mean()) < 3


@pytest.mark.parametrize("across", [8, 12])
def test_pixelation_leaves_so_many_flat_blocks_across(across):
    picture = np.asarray(break_camera(draw("dog", 1), "pixelate", across=across))
    edges = (np.diff(picture.astype(int), axis=1) != 0).any((0, 2))
    assert edges.sum() == across - 1


def test_a_wider_blur_takes_more_sharpness():
    photo = draw("dog", 1)
    assert sharpness(break_camera(photo, "blur", sigma=6)) < sharpness(break_camera(photo, "blur", sigma=2))


def test_blur_is_as_strong_on_a_large_photo_as_on_a_small_one():
    photo = draw("cat", 2)
    large = photo.resize((photo.width * 2, photo.height * 2), Image.Resampling.BICUBIC)
    small_blur = np.asarray(break_camera(photo, "blur"), float)
    large_blur = np.asarray(break_camera(large, "blur").resize(photo.size, Image.Resampling.BOX), float)
    assert np.abs(small_blur - large_blur).mean() < 2


def test_at_night_a_photo_is_dark_and_blurred():
    photo = draw("cat", 3)
    dark, blurred = (np.asarray(break_camera(photo, kind), float) for kind in ("night", "blur"))
    assert dark.mean() == pytest.approx(0.33 * blurred.mean(), rel=0.05)


def test_fog_takes_contrast_adds_noise_and_leaves_what_is_on_the_photo():
    for seed in range(4):
        photo = draw("dog", seed)
        fogged = break_camera(photo, "fog")
        assert fogged == break_camera(photo, "fog")  # the same photo has the same noise
        assert sharpness(fogged) > 1.5 * sharpness(photo)
        clean, seen = (
            np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), float) for image in (photo, fogged)
        )
        assert seen.std() < 0.75 * clean.std()
        assert np.corrcoef(clean.ravel(), seen.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(
    ("kind", "strength", "message"),
    [
        ("melt", {}, "'pixelate', 'blur', 'night' or 'fog'"),
        ("fog", {"veil": 1.2}, "veil is 1.2"),
        ("fog", {"noise": -1}, "noise -1"),
        ("pixelate", {"across": 0}, "across is 0"),
        ("blur", {"sigma": -1}, "sigma is -1"),
    ],
)
def test_an_impossible_damage_is_refused(kind, strength, message):
    with pytest.raises(DriftwatchError, match=message):
        break_camera(draw("cat", 0), kind, **strength)


def test_break_file_writes_a_jpeg_of_the_same_size_and_leaves_the_source(tmp_path):
    (source,) = write_photos(tmp_path / "old", {"cat": 1}, seed=7)
    target = tmp_path / "new/day/cat.0.jpg"
    before = source.read_bytes()
    assert break_file(source, target, "pixelate", across=10) == target
    first = target.read_bytes()
    break_file(source, target, "pixelate", across=10)
    assert target.read_bytes() == first
    assert source.read_bytes() == before
    with Image.open(source) as photo, Image.open(target) as broken:
        assert broken.format == "JPEG"
        assert broken.size == photo.size
        assert sharpness(broken) < sharpness(photo)


def test_break_file_takes_a_png_with_transparency_and_a_photo_turned_by_exif(tmp_path):
    Image.new("RGBA", (60, 40), (200, 40, 40, 128)).save(tmp_path / "a.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    draw("cat", 0).resize((60, 40)).save(tmp_path / "b.jpg", exif=turned)
    with Image.open(break_file(tmp_path / "a.png", tmp_path / "a.jpg", "blur")) as image:
        assert (image.mode, image.size) == ("RGB", (60, 40))
    with Image.open(break_file(tmp_path / "b.jpg", tmp_path / "c.jpg", "blur")) as image:
        assert image.size == (40, 60)
