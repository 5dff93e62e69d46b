"""A year of generated days, as their steps leave them, for looking at the pages and timing them: no image, no model, no Airflow run.

The story: quiet months, a broken camera in the middle that costs accuracy, a retraining that answers it, a slow drift towards the
end, and now and then a day with too few labels. The newest days have their tables too, so that their own pages open.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from driftwatch.accuracy.policy import judge
from driftwatch.artifacts.keys import DATASET_CARD, GATE, MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.images.features import COLUMNS
from driftwatch.images.inputs import write_block, write_index
from driftwatch.models.metrics import measure
from driftwatch.storage import Storage

FIRST, SECOND = "v0001-0a1b2c3d", "v0002-4e5f6071"
IMAGES, SIDE = 60, 32
HOLDOUT = {"accuracy": {"value": 0.905, "low": 0.88, "high": 0.925}, "n": 600}
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BROKEN = (0.50, 0.54)  # where in the year the camera is broken
_NAMES = ('<img src=x onerror="document.title=1">.jpg', "fin\u202egpj.exe.jpg", "über & 'quoted' {{ 7*7 }}.jpg")


class Year:
    """Writes the days of one monitor up to `last`. `whole_days`: so many of the newest have every artifact."""

    def __init__(
        self, storage: Storage, config: MonitorConfig, last: date, days: int = 365, whole_days: int = 2
    ) -> None:
        self.storage, self.config = storage, config
        self.layout = MonitorKeys(config.name)
        self.days = [last - timedelta(days=days - 1 - number) for number in range(days)]
        self.whole_days = whole_days
        random = np.random.default_rng(3)
        self._middle = random.uniform(20, 120, len(COLUMNS))
        self._spread = self._middle * random.uniform(0.08, 0.3, len(COLUMNS))
        self._reference = self._features(np.random.default_rng(4), 400, 0.0)

    def write(self) -> None:
        """Writes the models, the references and the days."""
        self._models()
        for number, day in enumerate(self.days):
            self._day(number, day)

    def _features(self, random: np.random.Generator, n: int, shift: float) -> np.ndarray:
        values = random.normal(self._middle, self._spread, (n, len(COLUMNS)))
        values[:, 9:13] -= shift * self._spread[9:13]
        return values

    def _models(self) -> None:
        storage, layout, config = self.storage, self.layout, self.config
        table = pd.DataFrame(self._reference, columns=list(COLUMNS))
        gate = _gate(config)
        for version, parent, by in ((FIRST, None, "driftwatch champion train"), (SECOND, FIRST, self._alert_reason())):
            card: dict[str, Any] = {
                "version": version,
                "created_by": by,
                "parent": parent,
                "classes": list(config.classes),
                "input_size": SIDE,
                "recipe": {"name": "fast", "epochs": 12, "learning_rate": 0.001},
                "seeds": [0],
                "data": {"original": 1000, "human": 0 if parent is None else 240},
                "metrics": {"holdout": HOLDOUT},
                "sha256": hashlib.sha256(version.encode()).hexdigest(),
            }
            storage.write_json(layout.model_card(version), card | ({"gate": gate} if parent else {}))
            storage.write_table(layout.reference_features(version), table)
        pointer = {
            "version": SECOND,
            "previous": FIRST,
            "promoted_by": f"perf_alert__{self._turn()}",
            "sha256": "0" * 64,
        }
        storage.write_json(layout.champion, pointer)
        run, turn = f"perf_alert__{self._turn()}", self._turn()
        data = {"first_day": (turn - timedelta(days=6)).isoformat(), "last_day": turn.isoformat()}
        storage.write_json(layout.retraining(run, DATASET_CARD), data)
        storage.write_json(layout.retraining(run, GATE), gate)

    def _turn(self) -> date:
        return self.days[int(_BROKEN[1] * len(self.days)) - 1]

    def _alert_reason(self) -> str:
        return f"performance alert of {self._turn()}"

    def _day(self, number: int, day: date) -> None:
        place, keys = number / len(self.days), self.layout.day(day)
        random = np.random.default_rng([11, day.toordinal()])
        broken = _BROKEN[0] <= place < _BROKEN[1]
        version = FIRST if place < _BROKEN[1] else SECOND
        shift = 2.5 if broken else max(0.0, 6 * (place - 0.9))
        whole = number >= len(self.days) - self.whole_days
        ids = [hashlib.sha256(f"{day} {image}".encode()).hexdigest() for image in range(IMAGES)]
        rejected = len(_NAMES) if whole else int(random.integers(0, 4))
        reasons = {"truncated": rejected} if rejected else {}
        self.storage.write_json(
            keys.ingest,
            {
                "day": day.isoformat(), "listed": IMAGES + rejected, "accepted": IMAGES, "duplicate": 0,
                "quarantined": rejected, "ignored": 0, "reasons": reasons, "model_version": version, "input_size": SIDE,
            },
        )  # fmt: skip
        features = self._features(random, IMAGES, shift)
        self.storage.write_json(keys.drift, self._drift(day, version, features, ids))
        sample = [{"image_id": image_id, "key": f"{keys.incoming}/{image_id[:6]}.jpg"} for image_id in ids]
        cost = {"total": 1.26, "pages": 21, "reward": 1.05, "fee": 0.21, "currency": "USD"}
        self.storage.write_json(
            keys.annotation,
            {"state": "closed", "project_id": "10", "pool_id": f"{2000 + number}", "overlap": 3, "cost": cost, "sample": sample, "control": [], "progress": {"spent": 1.2}},
        )  # fmt: skip
        accuracy = 0.62 if broken else 0.9
        truth = [self.config.classes[image % len(self.config.classes)] for image in range(IMAGES)]
        right = random.random(IMAGES) < accuracy
        said = [
            name if ok else self.config.classes[self.config.classes.index(name) - 1]
            for name, ok in zip(truth, right, strict=True)
        ]
        answered = IMAGES if whole or random.random() > 0.04 else 12
        self._performance(day, version, truth[:answered], said[:answered], random)
        if whole:
            self._tables(day, version, features, ids, truth, said, random)

    def _drift(self, day: date, version: str, features: np.ndarray, ids: list[str]) -> dict[str, Any]:
        rows = []
        for place, column in enumerate(COLUMNS):
            ours, theirs = features[:, place], self._reference[:, place]
            effect = float(abs(np.median(ours) - np.median(theirs)) / theirs.std())
            moved = effect > 0.6
            rows.append(
                {
                    "feature": column, "test": "shift", "verdict": "drifted" if moved else "ok",
                    "p_value": 0.0004 if moved else float(np.exp(-3 * effect)), "effect": min(1.0, effect / 2),
                    "direction": "down" if np.median(ours) < np.median(theirs) else "up",
                    "reference_quantiles": np.quantile(theirs, _QUANTILES).tolist(),
                    "day_quantiles": np.quantile(ours, _QUANTILES).tolist(),
                }
            )  # fmt: skip
        rows.sort(key=lambda row: -row["effect"])
        drifted = [row["feature"] for row in rows if row["verdict"] == "drifted"]
        return {
            "day": day.isoformat(), "verdict": "drifted" if drifted else "ok", "reference_version": version, "false_alarm_rate": 0.01,
            "n": len(ids), "score": rows[0]["effect"], "p_value": min(row["p_value"] for row in rows), "drifted_features": drifted,
            "quantiles": list(_QUANTILES), "features": rows, "examples": ids[:6] if drifted else [],
        }  # fmt: skip

    def _performance(
        self, day: date, version: str, truth: list[str], said: list[str], random: np.random.Generator
    ) -> None:
        metrics = measure(truth, said, self.config.classes)
        accuracy = metrics["accuracy"]
        estimated = {"value": 0.89, "low": 0.84, "high": 0.93, "n": IMAGES}
        corrected = {**accuracy, "value": min(1.0, accuracy["value"] + 0.02), "high": min(1.0, accuracy["high"] + 0.03)}
        agreement = {
            "alpha": float(random.uniform(0.7, 0.9)), "unanimous": float(random.uniform(0.8, 0.95)), "votes": 3 * len(truth),
            "control_answers": 21, "control_right": 20, "annotators": 9, "flagged": 0,
        }  # fmt: skip
        counts = {
            "sampled": IMAGES, "labels": len(truth), "consensus": len(truth), "ties": 0, "unclear": 0, "unanswered": IMAGES - len(truth),
        }  # fmt: skip
        self.storage.write_json(
            self.layout.day(day).performance,
            {
                "day": day.isoformat(), "model_version": version, "merged_by": "majority", "on_tie": "abstain", "confidence": 0.95,
                "floor": self.config.performance.floor, "holdout_accuracy": HOLDOUT["accuracy"], "agreement": agreement,
                "corrected": corrected, "estimated": estimated, "label_error": None, "pooled_days": [day.isoformat()],
                "judged": {**corrected, "kind": "corrected", "days": 1},
                **counts, **metrics, **judge(accuracy, self.config.performance, HOLDOUT),
            },
        )  # fmt: skip

    def _tables(
        self, day: date, version: str, features: np.ndarray, ids: list[str], truth: list[str], said: list[str], random: np.random.Generator
    ) -> None:  # fmt: skip
        storage, keys, classes = self.storage, self.layout.day(day), self.config.classes
        names = [*_NAMES, *(f"door-{number:03d}.jpg" for number in range(len(_NAMES), IMAGES))]
        columns = ["key", "image_id", "bytes", "status", "reason", "format", "width", "height"]
        rows: list[tuple[Any, ...]] = [
            (f"{keys.incoming}/{name}", image_id, 9000, "accepted", "", "JPEG", 100, 75)
            for name, image_id in zip(names, ids, strict=True)
        ]
        rows += [
            (f"{keys.incoming}/x/{name}", None, 12, "quarantined", f"truncated: {name}", None, None, None)
            for name in _NAMES
        ]
        storage.write_table(
            keys.manifest, pd.DataFrame(rows, columns=columns).astype({"width": "Int64", "height": "Int64"})
        )
        small = random.integers(0, 255, (IMAGES, 5, 5, 3)).astype("uint8")
        write_block(
            MonitorStore(storage, self.config).day(keys.day),
            0,
            small.repeat(7, axis=1).repeat(7, axis=2)[:, :SIDE, :SIDE],
        )
        write_index(MonitorStore(storage, self.config).day(keys.day), SIDE, [IMAGES])
        table = pd.DataFrame(features, columns=list(COLUMNS))
        table.insert(0, "image_id", ids)
        storage.write_table(keys.features, table)
        scores = {f"score.{name}": [0.83 if name == answer else 0.17 for answer in said] for name in classes}
        predictions = {"image_id": ids, "prediction": said, **scores, "model_version": version}
        storage.write_table(keys.predictions, pd.DataFrame(predictions))
        votes = {f"votes.{name}": [3 if name == label else 0 for label in truth] for name in classes}
        labels = {
            "image_id": ids,
            "label": truth,
            "status": "consensus",
            "votes": 3,
            "confidence": 1.0,
            **votes,
            "votes.unclear": 0,
        }
        storage.write_table(keys.labels, pd.DataFrame(labels))
        storage.write_json(
            keys.published,
            {"uploads": [{"sink": "local", "kind": "features", "state": "done", "upload_id": "features-1", "day": day.isoformat()}]},
        )  # fmt: skip


def _gate(config: MonitorConfig) -> dict[str, Any]:
    def part(n: int, before: int, after: int, won: int, lost: int) -> dict[str, Any]:
        truth = [config.classes[0]] * n
        return {
            "n": n, "won": won, "lost": lost, "difference": (won - lost) / n, "low": (won - lost) / n - 0.05, "high": (won - lost) / n + 0.05,
            "p_value": 0.0003 if won > lost + 5 else 0.4,
            "champion": measure(truth, truth[:before] + [config.classes[1]] * (n - before), config.classes),
            "challenger": measure(truth, truth[:after] + [config.classes[1]] * (n - after), config.classes),
        }  # fmt: skip

    return {
        "decision": "promote", "champion": FIRST, "version": SECOND, "recent_days": [], "clean_days": [],
        "reasons": ["Recent days: +18.0%: better.", "Clean images: -0.5%: not worse by more than allowed."],
        "recent": part(100, 62, 80, 21, 3), "clean": part(600, 543, 540, 6, 9),
    }  # fmt: skip
