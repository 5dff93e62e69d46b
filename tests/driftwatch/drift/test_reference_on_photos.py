"""The drift test on real photos, whole and from a camera that breaks."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from driftwatch.config import ImagesConfig
from driftwatch.drift import Reference
from driftwatch.images.decode import decode_image
from driftwatch.images.features import COLUMNS, image_features

pytestmark = pytest.mark.all_faults("it looks at a thousand photos; test_reference.py has drawn numbers")


@pytest.fixture(scope="module")
def photos(shared) -> list[np.ndarray]:
    paths = sorted((shared / "photos").glob("*/*"))
    order = np.random.default_rng(0).permutation(len(paths))[:1000]
    return [decode_image(paths[index].read_bytes(), ImagesConfig()).rgb for index in order]


@pytest.fixture(scope="module")
def clean(photos) -> pd.DataFrame:
    return pd.DataFrame([image_features(rgb) for rgb in photos], columns=list(COLUMNS))


@pytest.fixture(scope="module")
def real_reference(clean) -> Reference:
    reference = Reference.build(clean[:700])
    reference.calibration(100)
    return reference


def pixelated(rgb: np.ndarray, scale: float) -> np.ndarray:
    from PIL import Image

    image = Image.fromarray(rgb)
    small = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BOX))


def noisy(rgb: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(rgb.shape[0]).normal(0, sigma * 255, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


CORRUPTIONS = {
    "pixelate_scale_BOX": pixelated,
    "gaussian_noise_sigma_on_0_1": noisy,
    "gaussian_blur_sigma_px": lambda rgb, sigma: cv2.GaussianBlur(rgb, (0, 0), sigma),
}


def test_batches_of_other_clean_photos_raise_no_more_alarms_than_stated(clean):
    """Three references and 40 batches each: about one alarm expected at 1 %."""
    rng = np.random.default_rng(1)
    alarms = 0
    for seed in range(3):
        order = rng.permutation(len(clean))
        reference = Reference.build(clean.iloc[order[:600]], seed=seed)
        for _ in range(40):
            alarms += reference.test(clean.iloc[rng.permutation(order[600:])[:100]]).drifted
    assert alarms <= 6


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_camera_broken_at_severity_1_is_found_with_100_photos_and_with_20_among_100(
    name, photos, clean, real_reference, shared
):
    parameter = json.loads((shared / "corruptions.json").read_text())["imagenet_c_224px"][name][0]
    broken = [image_features(CORRUPTIONS[name](rgb, parameter)) for rgb in photos[700:800]]
    batch = pd.DataFrame(broken, columns=list(COLUMNS))
    report = real_reference.test(batch)
    assert report.drifted
    assert report.features["feature"][0].startswith("image.Sharpness.")
    assert real_reference.test(pd.concat([batch[:20], clean[800:880]])).drifted
