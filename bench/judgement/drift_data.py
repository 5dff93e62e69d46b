"""The photos of the drift benchmark: who is reference and who is batch, the corruptions, and their features, extracted once.

Corruptions are those of ImageNet-C (Hendrycks and Dietterich, 2019), by the parameters in ../shared/corruptions.json for images
about 224 px wide. They are applied to each decoded photo at its own size (median 443 x 374), parameters unchanged: a blur of one pixel is
one pixel of the photo. That is the harder reading; scaled to the photo's width the damage would be larger. A corrupted photo is not
saved again as a file, so that no trace but the corruption's own can give it away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.images.decode import decode_image
from driftwatch.images.features import COLUMNS, image_features
from driftwatch.images.near_duplicates import perceptual_hash
from driftwatch.images.resize import model_input

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
CACHE = ROOT / "var" / "bench" / "drift"
OUT = ROOT / "docs" / "benchmarks" / "judgement"
REFERENCE_PHOTOS = 1000  # the others are the batches'
REFERENCES = 100  # of the false alarms: 8 to 20 s of one core each
SIZES = (50, 100, 200, 500)
RATES = (0.01, 0.05, 0.1)
MAIN = ("gaussian_noise", "gaussian_blur", "defocus_blur", "brightness", "contrast", "jpeg_quality", "pixelate")
INPUT_SIZE = 64
CLEAN = "clean"


class Extracted(NamedTuple):
    """Row by row: `features` (COLUMNS), `inputs` uint8 [n, 64, 64, 3], `table` (path, label, phash)."""

    features: pd.DataFrame
    inputs: np.ndarray
    table: pd.DataFrame


def photos() -> list[Path]:
    """All photos in one shuffled order, seed 0: the first REFERENCE_PHOTOS are the reference's."""
    paths = sorted((SHARED / "photos").glob("*/*"))
    if not paths:
        raise SystemExit(f"{SHARED / 'photos'} has no photos: the benchmark needs <class>/<file>.jpg there")
    return [paths[index] for index in np.random.default_rng(0).permutation(len(paths))]


def corruptions() -> dict[str, list[tuple[str, float | list[float]]]]:
    """Name -> (kind, parameter) by severity, severity 1 first; `mild_…` are the weakest of the tables for smaller images."""
    tables = json.loads((SHARED / "corruptions.json").read_text())
    found: dict[str, list[tuple[str, float | list[float]]]] = {}
    for name, parameters in tables["imagenet_c_224px"].items():
        kind = next(kind for kind in KINDS if name.startswith(kind))
        found[kind] = [(kind, parameter) for parameter in parameters]
    for table, prefix in (("tiny_and_imagenet64_64px", "mild64"), ("cifar_c_32px", "mild32")):
        for kind, parameters in tables[table].items():
            found[f"{prefix}_{kind}"] = [(kind, parameters[0])]
    return found


def gaussian_noise(rgb: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(rgb.shape, dtype=np.float32)
    return _bytes(rgb + 255 * sigma * noise)


def gaussian_blur(rgb: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    return cv2.GaussianBlur(rgb, (0, 0), sigma)


def defocus_blur(rgb: np.ndarray, parameter: list[float], seed: int) -> np.ndarray:
    radius, alias = parameter
    reach = np.arange(-8, 9) if radius <= 8 else np.arange(-int(radius), int(radius) + 1)
    disk = (reach[:, None] ** 2 + reach[None, :] ** 2 <= radius**2).astype(np.float32)
    size = (3, 3) if radius <= 8 else (5, 5)
    return cv2.filter2D(rgb, -1, cv2.GaussianBlur(disk / disk.sum(), size, alias))


def brightness(rgb: np.ndarray, added: float, seed: int) -> np.ndarray:
    hsv = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = np.clip(hsv[..., 2] + added, 0, 1)
    return _bytes(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255)


def contrast(rgb: np.ndarray, scale: float, seed: int) -> np.ndarray:
    mean = rgb.mean(axis=(0, 1), keepdims=True, dtype=np.float32)
    return _bytes((rgb - mean) * np.float32(scale) + mean)


def jpeg_quality(rgb: np.ndarray, quality: float, seed: int) -> np.ndarray:
    data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB))


def pixelate(rgb: np.ndarray, scale: float, seed: int) -> np.ndarray:
    image = Image.fromarray(rgb)
    small = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BOX))


KINDS: dict[str, Callable[..., np.ndarray]] = {
    function.__name__: function
    for function in (gaussian_noise, gaussian_blur, defocus_blur, brightness, contrast, jpeg_quality, pixelate)
}


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def extracted(name: str = CLEAN, severity: int = 1) -> Extracted:
    """All photos, clean; or the batches' photos, corrupted. From the cache, or extracted now."""
    folder = _cached(name, severity)
    return Extracted(
        pd.read_parquet(folder / "features.parquet"),
        np.load(folder / "inputs.npy"),
        pd.read_parquet(folder / "table.parquet"),
    )


def _cached(name: str = CLEAN, severity: int = 1) -> Path:
    """The folder of what was extracted, which is done where it is not there yet."""
    folder = CACHE / (name if name == CLEAN else f"{name}-{severity}")
    if not (folder / "done").exists():
        _extract(folder, name, severity)
    return folder


def _extract(folder: Path, name: str, severity: int) -> None:
    print(f"features of {folder.name}", flush=True)
    cv2.setNumThreads(1)
    features, inputs, hashes, paths = [], [], [], []
    for number, path in _chosen(name):
        rgb = decode_image(path.read_bytes(), ImagesConfig()).rgb
        if name != CLEAN:
            kind, parameter = corruptions()[name][severity - 1]
            rgb = KINDS[kind](rgb, parameter, number)
        features.append(image_features(rgb))
        inputs.append(model_input(rgb, ModelInput.square(INPUT_SIZE)))
        hashes.append(perceptual_hash(rgb))
        paths.append(path)
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(features, columns=list(COLUMNS)).to_parquet(folder / "features.parquet")
    np.save(folder / "inputs.npy", np.stack(inputs))
    table = {"path": [str(path) for path in paths], "label": [path.parent.name for path in paths], "phash": hashes}
    pd.DataFrame(table).to_parquet(folder / "table.parquet")
    (folder / "done").touch()


def _chosen(name: str) -> Iterator[tuple[int, Path]]:
    for number, path in enumerate(photos()):
        if name == CLEAN or number >= REFERENCE_PHOTOS:
            yield number, path


def extract_all() -> None:
    _cached()
    for name, levels in corruptions().items():
        for severity in range(1, len(levels) + 1):
            _cached(name, severity)


if __name__ == "__main__":
    extract_all()
