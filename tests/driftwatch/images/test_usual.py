"""The usual image's way gives what the long way gives, to the last bit; what it does not take goes the long way."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.images import outcome
from driftwatch.images.decode import check_file
from driftwatch.images.headers import ImageFile
from driftwatch.images.outcome import Made, Outcome, outcome_of
from driftwatch.images.picture import DECODING
from driftwatch.images.room import Room
from driftwatch.images.usual import seen_as_usual

LIMITS = ImagesConfig(min_side=1)


def jpeg(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    rng = np.random.default_rng(width * height)
    small = rng.integers(0, 256, (max(1, height // 9), max(1, width // 9), 3), np.uint8)
    image = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.clip(np.asarray(image, int) + rng.normal(0, 6, (height, width, 3)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def both(file: ImageFile, about: ModelInput, monkeypatch: pytest.MonkeyPatch) -> tuple[Outcome, Outcome]:
    made, room = Made(about, DECODING), Room(10**9)
    now = outcome_of(file, LIMITS, made, room)
    monkeypatch.setattr(outcome, "seen_as_usual", lambda *_: None)
    return now, outcome_of(file, LIMITS, made, room)


def same(one: Outcome, other: Outcome) -> bool:
    inputs = (one.input is None, other.input is None)
    return one[:3] == other[:3] and (all(inputs) or (not any(inputs) and np.array_equal(one.input, other.input)))


SIZES = [(256, 256), (500, 375), (375, 500), (257, 255), (641, 97), (97, 641), (128, 128), (129, 96), (96, 96), (1100, 800), (900, 33)]  # fmt: skip


@pytest.mark.parametrize("side", [16, 33, 96, (64, 96)])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_hash_features_and_input_are_the_same_to_the_bit(size, side, mode, monkeypatch):
    height, width = (side, side) if isinstance(side, int) else side
    about, file = ModelInput(height=height, width=width), check_file(jpeg(*size, mode), LIMITS)
    taken = size[1] >= max(32, height) and size[0] >= max(32, width)
    assert (seen_as_usual(file, about) is not None) == taken
    one, other = both(file, about, monkeypatch)
    assert one.status == "accepted"
    assert same(one, other)


EXIF = Image.Exif()
EXIF[0x0112] = 6
UNUSUAL = {
    "turned": (jpeg(200, 150, exif=EXIF), {}),
    "CMYK": (jpeg(200, 150, "CMYK"), {}),
    "damaged": (jpeg(200, 150).replace(jpeg(200, 150)[900:910], bytes(10)), {}),
    "cut short": (jpeg(200, 150)[:-900], {}),
    "another colour's sampling": (jpeg(200, 150, subsampling=0), {}),
    "progressive": (jpeg(200, 150, progressive=True), {}),
    "cropped": (jpeg(200, 150), {"resize": "crop", "crop_share": 0.9}),
    "bilinear": (jpeg(200, 150), {"interpolation": "bilinear"}),
    "another size than the model's": (jpeg(200, 150), {"resize": "none"}),
    "as large as the model's": (jpeg(96, 96), {"resize": "none"}),
    "larger than a megapixel": (jpeg(1500, 1000), {}),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_whatever_is_unusual_has_the_outcome_of_the_long_way(kind, monkeypatch):
    data, settings = UNUSUAL[kind]
    file = check_file(data, LIMITS)
    assert same(*both(file, ModelInput(height=96, width=96, **settings), monkeypatch))
