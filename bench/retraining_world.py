"""A champion, its days and the test photos of one seed: the world of bench.retraining."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from tests.driftwatch.artifacts.samples import DAY_DRIFT, PERFORMANCE

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "var" / "bench" / "retraining"
ORIGINAL, POOL, NEXT_POOL, CLEAN_POOL = 900, 400, 80, 300
# The days after a broken one, broken alike, whose evaluation labels a challenger that waits may get.
NEXT_DAYS = 2
EVALUATION, VALIDATION, WRONG = 150, 20, 0.06
DAMAGES = {"blur sigma 6": ("blur", 6.0), "contrast x0.2": ("contrast", 0.2), "pixelated to 12 px": ("pixelate", 12.0)}
CLEAN = "clean"
CLEAN_DAY = date(2026, 1, 3)
DAYS = {name: CLEAN_DAY + timedelta(days=1 + number * (NEXT_DAYS + 1)) for number, name in enumerate([*DAMAGES, CLEAN])}


def monitor(folder: Path, **model: Any) -> Any:
    from driftwatch.config import MonitorConfig

    return MonitorConfig.model_validate(
        {
            "name": "photos",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{folder}"},
            "model": model,
            "annotation": {"project_name": "Pets", "question": "Which?", "instructions": "Look."},
        }
    )


def site(config: Any) -> tuple[Any, Any]:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.storage import open_storage

    return open_storage(config.storage.uri), MonitorKeys(config.name)


def put_training(storage: Any, layout: Any, config: Any, paths: list[Path]) -> None:
    from driftwatch.models.dataset import take_in_training_set

    for path in paths:
        storage.write_bytes(f"{layout.training_images}/{path.parent.name}/{path.name}", path.read_bytes())
    take_in_training_set(MonitorStore(storage, config))


class World:
    """One seed's champion and days, kept in var/bench/retraining/seed<n> from run to run."""

    def __init__(self, photos: list[Path], seed: int) -> None:
        self.seed = seed
        self.config = monitor(WORK / f"seed{seed}", input_size=64)
        settings = self.config.retraining.model_copy(update={"seed": seed})
        self.config = self.config.model_copy(update={"retraining": settings})
        self.storage, self.layout = site(self.config)
        order = np.random.default_rng(seed).permutation(len(photos))
        shuffled = [photos[place] for place in order]
        cuts = np.cumsum([ORIGINAL, CLEAN_POOL, POOL, *[NEXT_POOL] * NEXT_DAYS])
        self.original, self.clean_pool, *self.pools, self.test = (
            shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
        )
        if not self.storage.exists(self.layout.champion):
            self._prepare()
        self.splits = pd.read_json(self._splits_file(), dtype=False)

    def _splits_file(self) -> Path:
        return WORK / f"seed{self.seed}" / "splits.json"

    def _prepare(self) -> None:
        """The champion, the days, and which of the days' images the product keeps for evaluation."""
        from driftwatch.drift.handover import build_reference_of
        from driftwatch.models import registry
        from driftwatch.models.champion import train_champion
        from driftwatch.models.dataset import SET, collect_training_set

        put_training(self.storage, self.layout, self.config, self.original)
        self._add_day(CLEAN_DAY, self.clean_pool, None, "ok")
        for name, day in DAYS.items():
            for number, pool in enumerate(self.pools):
                self._add_day(day + timedelta(days=number), pool, DAMAGES.get(name), "alert")
        last_day = max(DAYS.values()) + timedelta(days=NEXT_DAYS)
        collect_training_set(MonitorStore(self.storage, self.config), "splits", CLEAN_DAY, last_day)
        table = self.storage.read_table(self.layout.retraining("splits", SET))
        table[["image_id", "split", "day"]].to_json(self._splits_file(), orient="records")
        version = train_champion(MonitorStore(self.storage, self.config), "fast")
        build_reference_of(MonitorStore(self.storage, self.config), version)
        registry.promote(MonitorStore(self.storage, self.config), version, "bench", expected=None)

    def _add_day(self, day: date, paths: list[Path], damage: tuple[str, float] | None, verdict: str) -> None:
        from driftwatch.images.ingest import DayModel, ingest_day

        keys, truth = self.layout.day(day), {}
        for number, path in enumerate(paths):
            key = f"{keys.incoming}/{path.name}"
            truth[key] = path.parent.name
            self.storage.write_bytes(key, broken(path, damage, number))
        model = DayModel("v0001-00000000", ModelInput.of(self.config.model.input))
        ingest_day(MonitorStore(self.storage, self.config).day(keys.day), model)
        manifest = self.storage.read_table(keys.manifest)
        manifest = manifest[manifest["status"] == "accepted"]
        labels = pd.DataFrame({"image_id": manifest["image_id"], "label": manifest["key"].map(truth)})
        labels = labels.assign(status="consensus", confidence=1.0, votes=3).sort_values("image_id", ignore_index=True)
        wrong = np.random.default_rng([self.seed, day.toordinal()]).random(len(labels)) < WRONG
        labels["label"] = labels["label"].mask(wrong, labels["label"].map({"cat": "dog", "dog": "cat"}))
        self.storage.write_table(keys.labels, labels)
        self.storage.write_table(f"{keys.labels}.all", labels)
        self.storage.write_json(keys.performance, PERFORMANCE | {"day": day.isoformat(), "verdict": verdict})
        found = {"day": day.isoformat(), "verdict": "drifted" if damage else "ok"}
        self.storage.write_json(keys.drift, DAY_DRIFT | found)

    def forget(self) -> None:
        """Takes away the labels of all days and the files of the retrainings before: a challenger that waits would be taken up by the next one."""
        for item in self.storage.list(self.layout.retrainings):
            self.storage.delete(item.key)
        for day in DAYS.values():
            for number in range(NEXT_DAYS + 1):
                self.storage.delete(self.layout.day(day + timedelta(days=number)).labels)

    def label(self, day: date, training: int) -> None:
        """Leaves the day the labels of its evaluation images and of `training` for training."""
        keys = self.layout.day(day)
        labels = self.storage.read_table(f"{keys.labels}.all")
        split = self.splits[self.splits["day"] == day.isoformat()].set_index("image_id")["split"]
        chosen: list[str] = []
        for name, n in (("evaluation", EVALUATION), ("train", training), ("validation", VALIDATION if training else 0)):
            chosen += split.index[split == name].tolist()[:n]
        self.storage.write_table(keys.labels, labels[labels["image_id"].isin(chosen)].reset_index(drop=True))

    def inputs(self, damage: tuple[str, float] | None) -> tuple[np.ndarray, np.ndarray]:
        """The test photos as the model gets them, and their classes."""
        from driftwatch.images.decode import decode_image
        from driftwatch.images.resize import model_input

        images = [
            model_input(decode_image(broken(path, damage, number), self.config.images).rgb, ModelInput.square(64))
            for number, path in enumerate(self.test)
        ]
        return np.stack(images), np.array([path.parent.name for path in self.test])

    def accuracy(self, version: str, inputs: np.ndarray, truth: np.ndarray) -> float:
        from driftwatch.models.predictors.base import Asked, predictor

        found = (
            predictor(MonitorStore(self.storage, self.config), version)
            .predict(Asked([inputs]), 256)
            .table(self.config.classes)
        )
        return float((found["prediction"].to_numpy() == truth).mean())


def broken(path: Path, damage: tuple[str, float] | None, number: int) -> bytes:
    """The photo's file as the broken camera would have stored it; the file itself where nothing is broken."""
    from driftwatch.models.damage import apply_damage

    if damage is None:
        return path.read_bytes()
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    spoilt = apply_damage(rgb, *damage, number)
    return cv2.imencode(".jpg", cv2.cvtColor(spoilt, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
