"""Features: whylogs' own values, and sharpness that moves with what it is named for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from driftwatch.errors import DriftwatchError
from driftwatch.images.features import COLUMNS, FEATURES, extract_features, image_features
from driftwatch.images.headers import RejectedImage
from driftwatch.images.near_duplicates import perceptual_hash
from driftwatch.images.picture import SAMPLED_SIDE
from driftwatch.profiling import Reference

SHARPNESS = [column for column in COLUMNS if ".Sharpness." in column]


def photo(width: int = 480, height: int = 360, seed: int = 0) -> np.ndarray:
    """Detail at every scale, like a photo's: sums of noise, each octave half as strong as the one below."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for octave in range(8):
        shape = (max(2, height >> octave), max(2, width >> octave), 3)
        total += cv2.resize(rng.normal(size=shape).astype(np.float32), (width, height)) * 2**octave / 4
    return np.clip(total + 120, 0, 255).astype(np.uint8)


def features(rgb: np.ndarray) -> dict[str, float]:
    return dict(zip(COLUMNS, image_features(rgb), strict=True))


def whylogs_values(rgb: np.ndarray) -> dict[str, float]:
    from whylogs.extras.image_metric import get_pil_image_metadata

    values = get_pil_image_metadata(Image.fromarray(rgb))
    return {f"image.{name}": value for name, value in values.items() if name != "Colorspace"}


def test_up_to_the_sampled_side_the_colour_features_are_whylogs_own():
    for seed in range(4):
        rgb = photo(SAMPLED_SIDE, 120, seed)
        theirs = whylogs_values(rgb)
        assert set(theirs) == set(COLUMNS) - set(SHARPNESS)
        ours = features(rgb)
        for name, value in theirs.items():
            assert ours[name] == pytest.approx(value, abs=1e-3 if "Hue" not in name else 0.15), name


def test_above_it_they_agree_within_a_tenth_of_their_spread_over_photos(shared):
    paths = sorted((shared / "photos").glob("*/*"))[::40]
    ours = extract_features(paths)
    theirs = [whylogs_values(np.asarray(Image.open(path).convert("RGB"))) for path in paths]
    for name in theirs[0]:
        exact = np.array([row[name] for row in theirs], float)
        error = np.sqrt(np.mean((ours[name].to_numpy() - exact) ** 2))
        assert error <= 0.1 * exact.std(), name


@pytest.mark.parametrize(
    ("change", "column", "sign"),
    [
        (lambda a: cv2.GaussianBlur(a, (0, 0), 1), "laplacian", -1),
        (lambda a: cv2.GaussianBlur(a, (0, 0), 1), "gradient", -1),
        (lambda a: cv2.GaussianBlur(a, (0, 0), 1), "high_frequency", -1),
        (lambda a: np.clip(a + np.random.default_rng(1).normal(0, 10, a.shape), 0, 255).astype(np.uint8), "noise", 1),
        (lambda a: a[::2, ::2].repeat(2, 0).repeat(2, 1), "grid", 1),
        (lambda a: a[::2, ::2].repeat(2, 0).repeat(2, 1), "peakedness", 1),
        (lambda a: cv2.imdecode(cv2.imencode(".jpg", a, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], 1), "blockiness", 1),
    ],
)
def test_each_sharpness_feature_moves_with_what_it_is_named_for(change, column, sign):
    clean = [features(photo(seed=seed))[f"image.Sharpness.{column}"] for seed in range(5)]
    broken = [features(change(photo(seed=seed)))[f"image.Sharpness.{column}"] for seed in range(5)]
    shift = (np.mean(broken) - np.mean(clean)) * sign
    assert shift > 3 * np.std(clean)


@pytest.mark.parametrize("shape", [(32, 32), (1, 1), (1, 500), (2000, 3), (7, 9)])
@pytest.mark.parametrize("value", [0, 255])
def test_flat_and_tiny_pictures_have_finite_features(shape, value):
    assert np.isfinite(image_features(np.full((*shape, 3), value, np.uint8))).all()


def test_features_of_files_are_one_row_each_by_path(tmp_path):
    paths = []
    for seed in range(3):
        paths.append(tmp_path / f"b {seed}.png")
        Image.fromarray(photo(seed=seed)).save(paths[-1])
    table = extract_features(paths)
    assert list(table.columns) == [*(feature.column for feature in FEATURES), "phash"]
    assert list(table.index) == [str(path) for path in paths]
    assert table.iloc[1].tolist() == [*image_features(photo(seed=1)), perceptual_hash(photo(seed=1))]
    assert extract_features([]).shape == (0, len(COLUMNS) + 1)


def test_frames_of_one_burst_count_as_one_image_in_a_notebook(tmp_path):
    def files(name, seeds, frames=1):
        for seed in seeds:
            for frame in range(frames):
                noise = np.random.default_rng(frame).integers(-2, 3, (120, 160, 3))  # of the sensor
                path = tmp_path / f"{name}-{seed}-{frame}.png"
                Image.fromarray(np.clip(photo(160, 120, seed) + noise, 0, 255).astype(np.uint8)).save(path)
                yield path

    reference = Reference.build(extract_features(files("known", range(60))))
    report = reference.test(extract_features(files("today", range(60, 100), frames=3)))
    assert (report.n, report.effective_n) == (120, 40)


def test_a_file_that_is_no_image_is_refused_with_its_name(tmp_path):
    path = tmp_path / "cat.jpg"
    path.write_text("no cat")
    with pytest.raises(RejectedImage, match=r"cat\.jpg"):
        extract_features([path])
    with pytest.raises(DriftwatchError, match=r"cat\.jpg: a list of image files is expected"):
        extract_features(path)
