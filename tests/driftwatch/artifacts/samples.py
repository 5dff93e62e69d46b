"""A whole artifact of each kind, as version 0.1 wrote it.

Most are files of tests/data/artifacts_0_1; those that its day has not are made here, as their writers make them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "data/artifacts_0_1/cats_vs_dogs"
DAY, VERSION, RUN = "2026-01-08", "v0002-9db22f6a", "perf_alert__2026-01-08"


def _written(key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / key).read_bytes())
    return found


INGEST, DAY_DRIFT, CONTENT_DRIFT, ESTIMATE, PERFORMANCE, PLAN, LEDGER = (
    _written(f"days/{DAY}/{name}.json")
    for name in ("ingest", "drift", "content_drift", "estimate", "performance", "annotation", "published")
)
REFERENCE, USUAL = (_written(f"reference/{VERSION}/{name}.json") for name in ("reference", "predictions"))
CARD, POINTER = _written(f"models/{VERSION}/card.json"), _written("models/champion.json")
GATE, DATASET_CARD, CHALLENGER = (
    _written(f"retraining/{RUN}/{name}.json") for name in ("gate", "dataset_card", "challenger")
)
REQUEST, ALERT = _written("retraining/active.json"), _written(f"outbox/{DAY}/drift.json")

INPUTS_INDEX = {"input_size": 64, "rows": [256, 0, 44]}
INPUTS_OF_A_CROP = {
    "input": {"height": 48, "width": 80, "resize": "crop", "crop_share": 0.875},
    "rows": [3],
    "blocks": ["0a1b2c3d4e5f"],
}
TRAINING_PIXELS = {"input": {"height": 48, "width": 80, "resize": "pad", "pad_value": 114}}
SHARD_PLAN = {"shards": 2, "listed": 300, "input_size": 64, "model_version": "v0001-0a1b2c3d"}
LATE_FILES = {"files": 3}
ANSWERS = {
    "day": DAY, "files": 1, "log": [{"name": "file:///logs/a.csv", "bytes": 900, "rows": 104}], "rows": 104, "used": 97, "earlier": 2,
    "without_image": 3, "strangers": {"no_file": 2, "quarantined": 1}, "refused": 2, "reasons": {"cut_line": 1, "unknown_class": 1},
    "images": 100, "unanswered": 3, "unknown_classes": ["ferret"], "other_case": 4, "not_the_highest": 1, "scores": True,
    "embeddings": False, "versions": {"prod-7": 90, "prod-8": 7},
}  # fmt: skip
RECHECK = {
    "day": DAY, "model_version": "v0001-0a1b2c3d", "images": 64, "largest": 0.31, "median": 0.0004, "other_class": 2, "agrees": False, "scores": True,
}  # fmt: skip
PROGRESS = PLAN["progress"]
WHYLABS = {"verdict": "alert", "reasons": ["too low"], "rows": [{"analyzerId": "a", "metricValue": 0.5, "isAnomaly": True, "upperThreshold": None}]}  # fmt: skip
EPISODE = {
    "line": "images", "since": "2026-01-05", "until": "2026-01-08", "alarms": 4, "features": 11, "size": 0.62, "first_size": 0.4,
    "model_version": VERSION, "told": "2026-01-05", "told_signs": ["image_quality"], "told_size": 0.4,
    "signs": [{"name": "image_quality", "since": "2026-01-05"}, {"name": "camera=door-17", "since": "2026-01-06", "usual_days": 1}],
}  # fmt: skip
EPISODES = {"day": DAY, "episodes": [EPISODE], "schema_version": 1}
FAILURE = {"task": "merge_annotations", "reason": "no answer", "run_id": "r1", "schema_version": 1}
TOLD = {"to": "SmtpNotifier-0a1b2c3d4e5f", "subject": "images changed"}
ATTACHED_ALERT = {"day": "2026-01-10"}
READY = {"images": 1000}

_FILE = {"name": "set.parquet", "sha256": "0" * 64, "rows": 600}
HANDOVER = {
    "monitor": "cats_vs_dogs", "run_key": RUN, "requested_by": "run r1", "storage": "file:///data",
    "place": f"file:///data/cats_vs_dogs/retraining/{RUN}/handover", "champion": "v0001-2f099e5a", "classes": ["cat", "dog"],
    "input": {"height": 96, "width": 96, "scale": 1, "mean": [], "std": []}, "first_day": "2026-01-02", "last_day": DAY,
    "set": _FILE, "never_train": {**_FILE, "name": "never_train.parquet", "rows": 200},
    "splits": {"train": 550, "validation": 50}, "damage": None,
}  # fmt: skip

_UNDEFINED = {"value": None, "low": None, "high": None, "n": 0, "reason": "no image of the sample has a label"}
# A day that nobody answered.
NO_LABELS = {
    **{name: value for name, value in PERFORMANCE.items() if name != "content_hash"},
    "accuracy": _UNDEFINED,
    "labels": 0,
    "agreement": {**PERFORMANCE["agreement"], "alpha": None, "unanimous": None},
    "corrected": {**_UNDEFINED, "effective_n": None},
    "judged": {**_UNDEFINED, "effective_n": 0.0, "kind": "measured", "days": 1},
    "label_error": None,
    "verdict": "not_enough_evidence",
    "severity": None,
    "policy": {},
    "usual": None,
    "estimated": None,
    "revisions": [{"revision": 1, "verdict": "ok", "accuracy": None, "labels": 0, "model_version": "v0001-0a1b2c3d"}],
}
# A day judged before the votes' spread was kept, and one before any evidence was.
NO_SPREAD = {
    **PERFORMANCE,
    "evidence": {
        **PERFORMANCE["evidence"],
        "votes": {name: value for name, value in PERFORMANCE["evidence"]["votes"].items() if name != "spread"},
    },
}
_ADDED = (
    "evidence",
    "judged",
    "corrected",
    "label_error",
    "effective_labels",
    "pooled_days",
    "usual",
    "estimated",
    "revisions",
)
EARLY = {name: value for name, value in PERFORMANCE.items() if name not in _ADDED}

_NOT_TESTED = {"verdict": "not_enough_evidence", "reason": "7 independent images", "p_value": None, "false_alarm_rate": 0.0025, "n": 7, "effective_n": 7}  # fmt: skip
# Too few images for a test of content, and a model without held-out images.
NO_CONTENT_TEST = {
    **CONTENT_DRIFT,
    "reference_images": 0,
    "content": {**_NOT_TESTED, "features": [], "examples": []},
    "predictions": {**_NOT_TESTED, "effect": None, "classes": [{"name": "cat", "reference": 0.5, "day": None}]},
}
_EMPTY_FEATURE = {
    **DAY_DRIFT["features"][0], "test": "", "statistic": None, "effect": None, "shift": None, "p_value": None, "direction": "none",
    "verdict": "not_enough_evidence", "day_quantiles": [],
}  # fmt: skip
TOO_SMALL_DAY = {**DAY_DRIFT, "verdict": "not_enough_evidence", "score": None, "p_value": None, "drifted_features": [], "features": [_EMPTY_FEATURE], "examples": []}  # fmt: skip
NO_HOLDOUT = {**ESTIMATE, "accuracy": _UNDEFINED, "mean_score": None, "answers": None, "holdout": {"mean_score": None, "n": 0}}  # fmt: skip

_OF_CHALLENGER = ("first_day", "last_day", "left_out", "damage", "damaged_images")
FIRST_CARD = {
    **{name: value for name, value in CARD.items() if name not in ("gate", "alerts")},
    "parent": None,
    "data": {
        **{name: value for name, value in CARD["data"].items() if name not in _OF_CHALLENGER},
        "run_key": None,
        "set": "0123456789abcdef",
    },
    "recipe": {name: value for name, value in CARD["recipe"].items() if name != "recent_share"} | {"name": "fast", "epoch_size": None},
}  # fmt: skip
IMPORTED_CARD = {**FIRST_CARD, "recipe": {"name": "imported", "file": "ours.keras"}, "seeds": {}, "history": [], "output": "probabilities"}  # fmt: skip
_RECIPE = {name: value for name, value in CARD["recipe"].items() if name not in ("name", "recent_share")}
CHECKPOINT = {
    "task": {"recipe": _RECIPE, "data": "0" * 64},
    "last": "epoch-0002.keras",
    "best": "epoch-0001.keras",
    "history": [{"epoch": 1, "loss": 0.5, "accuracy": 0.75, "seconds": 1.25}, {"epoch": 2, "loss": 0.5, "accuracy": 1.0, "val_loss": 1, "val_accuracy": 0.5, "seconds": 1}],
}  # fmt: skip
_CREATED = {"changed": PLAN["sample"], "dropped_pools": ["11"], "state": "creating_pool", "pool_id": None}
PLANNED = {name: value for name, value in PLAN.items() if name not in ("close_reason", "progress")} | _CREATED
NO_EXAM = {**PLAN, "exam": None, "exam_id": None, "close_reason": None}
AUTO_PLAN = {**PLAN, "sample_size": {"images": 60, "wanted": 80, "affordable": 60, "expected_accuracy": 0.85, "worth": 1.0}}  # fmt: skip
