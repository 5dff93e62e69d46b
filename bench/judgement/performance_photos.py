"""A champion trained on half of the real photos, and what it answers on the other half, clean and damaged.

Made once and kept in var/bench: the other benchmarks simulate days by drawing from these answers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from driftwatch.artifacts.store import MonitorStore

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
CACHE = ROOT / "var" / "bench"
CLASSES = ("cat", "dog")
SIDE, WIDTH = 96, 224
CLEAN = "clean"


@dataclass(frozen=True)
class Answers:
    """`truth` [n] and `scores` [n, 2] (calibrated by the model card's temperature), by damage, of the photos that no model was
    trained on."""

    truth: np.ndarray
    scores: dict[str, np.ndarray]
    holdout: dict[str, float]

    def right(self, damage: str = CLEAN) -> np.ndarray:
        return self.scores[damage].argmax(axis=1) == self.truth


def load() -> Answers:
    """The kept answers; trains the champion (about five minutes of one core) where there are none."""
    kept = CACHE / "performance_photos.npz"
    if not kept.exists():
        _make(kept)
    with np.load(kept) as found:
        scores = {name.removeprefix("scores "): found[name] for name in found.files if name.startswith("scores ")}
        return Answers(found["truth"], scores, json.loads(str(found["holdout"])))


def _damages() -> dict[str, tuple[str, float]]:
    """Name -> (kind, strength): ImageNet-C's at 224 pixels, and those that broke a model of this kind."""
    found: dict[str, tuple[str, float]] = {}
    published = json.loads((SHARED / "corruptions.json").read_text())["imagenet_c_224px"]
    kinds = {
        "noise": "gaussian_noise_sigma_on_0_1",
        "blur": "gaussian_blur_sigma_px",
        "brightness": "brightness_add_to_HSV_V",
        "contrast": "contrast_scale_about_channel_mean",
        "jpeg": "jpeg_quality",
        "pixelate": "pixelate_scale_BOX",
    }
    for kind, name in kinds.items():
        for severity, strength in enumerate(published[name], start=1):
            found[f"{kind} {severity}"] = (kind, strength)
    for across in (24, 16, 12, 8):
        found[f"{across} pixels across"] = ("pixelate", across / WIDTH)
    found["dark x0.15"] = ("dark", 0.15)
    return found


def _damage(rgb: np.ndarray, kind: str, strength: float, rng: np.random.Generator) -> np.ndarray:
    """One of ImageNet-C's corruptions (Hendrycks and Dietterich, 2019) of uint8 [h, 224, 3]."""
    height, width = rgb.shape[:2]
    if kind == "noise":
        return np.clip(rgb + rng.normal(0, 255 * strength, rgb.shape), 0, 255).astype(np.uint8)
    if kind == "blur":
        return cv2.GaussianBlur(rgb, (0, 0), strength)
    if kind == "brightness":
        hsv = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
        hsv[..., 2] = np.clip(hsv[..., 2] + strength, 0, 1)
        return np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255, 0, 255).astype(np.uint8)
    if kind == "contrast":
        mean = rgb.mean(axis=(0, 1), keepdims=True)
        return np.clip((rgb - mean) * strength + mean, 0, 255).astype(np.uint8)
    if kind == "jpeg":
        stored = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(strength)])[1]
        return cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB)
    if kind == "pixelate":
        size = (max(1, int(width * strength)), max(1, int(height * strength)))
        return cv2.resize(
            cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_NEAREST
        )
    assert kind == "dark", kind
    return (rgb * strength).astype(np.uint8)


def _make(kept: Path) -> None:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.config import MonitorConfig
    from driftwatch.models import registry
    from driftwatch.models.champion import train_champion
    from driftwatch.models.dataset import take_in_training_set
    from driftwatch.models.predictors.base import Asked, predictor
    from driftwatch.storage import open_storage

    config = MonitorConfig.model_validate(
        {
            "name": "bench",
            "classes": list(CLASSES),
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{CACHE / 'performance'}"},
            "model": {"input_size": SIDE},
            "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
        }
    )
    storage, layout = open_storage(config.storage.uri), MonitorKeys(config.name)
    paths = sorted((SHARED / "photos").glob("*/*.jpg"))
    paths = [paths[place] for place in np.random.default_rng(0).permutation(len(paths))]
    half = len(paths) // 2
    for path in paths[:half]:
        storage.write_bytes(f"{layout.training_images}/{path.parent.name}/{path.name}", path.read_bytes())
    take_in_training_set(MonitorStore(storage, config))
    versions = registry.versions(MonitorStore(storage, config))
    version = versions[-1] if versions else train_champion(MonitorStore(storage, config), on_epoch=print)
    card, model = (
        registry.card(MonitorStore(storage, config), version),
        predictor(MonitorStore(storage, config), version),
    )
    photos = []
    for path in paths[half:]:
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        photos.append(
            cv2.resize(rgb, (WIDTH, round(WIDTH * rgb.shape[0] / rgb.shape[1])), interpolation=cv2.INTER_AREA)
        )
    answers = {"truth": np.array([CLASSES.index(path.parent.name) for path in paths[half:]])}
    for name, (kind, strength) in {CLEAN: ("", 0.0), **_damages()}.items():
        rng = np.random.default_rng(1)
        shown = [_damage(photo, kind, strength, rng) if kind else photo for photo in photos]
        inputs = np.stack([cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for photo in shown])
        found = model.predict(Asked([inputs]), config.model.batch_size).scores
        answers[f"scores {name}"] = found
        print(f"{name}: accuracy {(found.argmax(axis=1) == answers['truth']).mean():.3f}", flush=True)
    holdout = {"accuracy": card.metrics.holdout.accuracy.value, "n": card.metrics.holdout.n}
    np.savez_compressed(kept, holdout=json.dumps(holdout), **answers)


if __name__ == "__main__":
    load()
