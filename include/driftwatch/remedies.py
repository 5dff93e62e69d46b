"""Which step writes an artifact, and so what to do about one that cannot be read.

It is a leaf that imports errors alone, since storage/ must say the remedy of a damaged table, and artifacts/ that of a JSON file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from driftwatch.errors import DamagedArtifact, MissingArtifact, StorageFailed, StorageRefused

T = TypeVar("T")

_OF_A_DAY = {
    "ingest_images": ("ingest.json", "manifest.parquet", "features.parquet", "judged.parquet", "inputs/", "shards/"),
    "profile_features": ("features.profile.bin", "drift.json", "episodes.json"),
    "predict_labels": (
        "answers.json",
        "recheck.json",
        "predictions.parquet",
        "embeddings.npy",
        "judged_predictions.parquet",
        "judged_embeddings.npy",
        "content_drift.json",
        "map.json",
        "estimate.json",
    ),
    "create_annotation_pool": ("annotation.json", "shown/"),
    "wait_for_annotations": ("annotation_progress.json",),
    "merge_annotations": (
        "label_table.json",
        "assignments.parquet",
        "labels.parquet",
        "annotators.parquet",
        "extra_labels.parquet",
    ),
    "merge_people": ("check_",),
    "evaluate_performance": ("performance.json", "performance.bin", "late_files.json"),
    "check_performance": ("whylabs.json", "decision.json"),
}
_UNTOLD = "delete it: the alert that it holds is then not told"
_OF_A_MONITOR = {
    "training": "take the training set in again by `driftwatch champion train` or `driftwatch champion import`",
    "reference": "clear refresh_reference of the retraining that made this version; a first version is registered again by "
    "`driftwatch champion train` or `driftwatch champion import`",
    "outbox": _UNTOLD,
    "retraining": "clear the task of that retraining that writes it",
}
_OF_A_RETRAINING = {
    "checkpoints": "delete the folder that it lies in: the training starts anew",
    "outbox": _UNTOLD,
    "alerts": "delete it: the card of the challenger then does not name that alert",
}


def remedy(key: str) -> str:
    """What somebody can do about the artifact at `key`, besides restoring it: the end of a sentence, or nothing."""
    _, _, rest = key.partition("/")
    folder, _, name = rest.partition("/")
    if folder == "days":
        day, _, name = name.partition("/")
        return _remedy_of_day(day, name)
    if rest.endswith("/published.json"):
        return ""  # as a day's
    if rest == "models/champion.json":
        return "delete it and register the model that serves by `driftwatch champion import`"
    if rest == "models/mlflow.json":
        return "delete it: the next call to MLflow writes it"
    if folder == "models":
        return "roll back to another version by `driftwatch champion rollback`"
    if rest == "retraining/active.json":
        return "delete it: the next retraining writes it, and until then no alert waits for one under way"
    if folder == "retraining":
        part = name.partition("/")[2].partition("/")[0]
        return _OF_A_RETRAINING.get(part, _OF_A_MONITOR[folder])
    return _OF_A_MONITOR.get(folder, "")


def _remedy_of_day(day: str, name: str) -> str:
    """Of the file `name` in the folder of `day`. An upload ledger has none: without it the day could be counted twice."""
    if name == "failure.json":
        return "delete it: it only says that the day failed"
    for task, names in _OF_A_DAY.items():
        if name.startswith(names):
            return f"delete it and clear {task} of {day}, which writes it"
    return ""


def parsed(url: str, key: str, what: str, parse: Callable[[], T]) -> T:
    """What `parse` makes of the bytes of the artifact at `key`; any failure of it raises DamagedArtifact with `url` and the remedy."""
    try:
        return parse()
    except (MemoryError, FileNotFoundError, StorageFailed, StorageRefused, MissingArtifact):
        raise  # the last three: of a table that is fetched part by part
    except Exception as error:  # JSON, Arrow and NumPy raise what they come upon
        raise broken(
            url, key, f"is no whole {what}: it was cut short, or changed by something else ({error})"
        ) from error


def broken(url: str, key: str, what: str, migrate: str = "") -> DamagedArtifact:
    """The error of an artifact that cannot be used. `migrate`: the storage's address, where a version may be the reason."""
    others = remedy(key)
    older = f"`driftwatch migrate {migrate}` names every file that this version cannot read. " if migrate else ""
    return DamagedArtifact(f"{url} {what}. {older}Restore it from a backup{f', or {others}' if others else ''}")
