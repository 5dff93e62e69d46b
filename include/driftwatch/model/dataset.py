"""Training sets: the original labelled images, and those plus the human labels of a range of days.

Every image is in one of train, validation and evaluation for ever (driftwatch.model.splits), however often a set is made.
"""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention, NotEnoughLabels
from driftwatch.foreign_files import to_key
from driftwatch.images.inputs import DayInputs
from driftwatch.layout import MonitorLayout
from driftwatch.model.requests import DATASET_CARD, SET
from driftwatch.model.splits import EVALUATION, LEFT_OUT, TRAIN, VALIDATION, decide_splits, known_splits
from driftwatch.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

__all__ = ["EVALUATION", "LEFT_OUT", "SET", "TRAIN", "VALIDATION"]
HOLDOUT_SHARE = 0.15
ORIGINAL, HUMAN = "original", "human"
_NO_LABELS = pd.DataFrame(columns=["image_id", "label", "status", "confidence", "day", "row"])


def copy_images(storage: Storage, layout: MonitorLayout, config: MonitorConfig, folder: Path) -> int:
    """Copies <class>/<file> of a local folder to the storage's training images, and returns how many files were copied.

    Nothing is copied twice: not from the storage's own folder, nor a file that is there with the same size. Raises
    NeedsAttention where a class has no folder.
    """
    own = storage.local_path(layout.training_images)
    if own and folder.resolve() == own.resolve():
        return 0
    missing = [name for name in config.classes if not (folder / name).is_dir()]
    if missing:
        raise NeedsAttention(
            f"{folder} has no folder {missing}: one folder for each of {list(config.classes)} is expected"
        )
    there = {item.key: item.size for item in storage.list(layout.training_images)}
    copied = 0
    for name in config.classes:
        for path in sorted(path for path in (folder / name).iterdir() if path.is_file()):
            key = f"{layout.training_images}/{name}/{to_key(path.name)}"
            if there.get(key) != path.stat().st_size:
                storage.write_bytes(key, path.read_bytes())
                copied += 1
    return copied


def take_in_training_set(storage: Storage, layout: MonitorLayout, config: MonitorConfig) -> dict[str, Any]:
    """Takes in training/images/<class>/<file>: writes training/set.parquet, inputs.npy and features.parquet, in one order.

    About .80 of the images are for training, .05 for validation, .15 for evaluation (the holdout), and a few that are near to
    images of two of these, which came before, are left out of all. Of equal files the first is kept. Raises NeedsAttention where a folder is no class, a class has no image, or the same file lies in two classes' folders.
    Returns counts: listed, accepted, duplicate, quarantined, ignored, and `images` by split and class.
    """
    from driftwatch.images.listing import ignored_by
    from driftwatch.images.one_pass import take_in

    root = storage.url(layout.training_images)
    folder = layout.training_images
    # A file browser's own files do not even belong to a class.
    found = storage.list(folder)
    listed = [item for item in found if not ignored_by(item.key, folder, config.images.ignore)]
    folders = {item.key: item.key.removeprefix(f"{layout.training_images}/").split("/")[0] for item in listed}
    strangers = sorted(set(folders.values()) - set(config.classes))
    if strangers:
        raise NeedsAttention(
            f"{root}: {strangers} are not in classes {list(config.classes)}: allowed is <class>/<file>"
        )
    taken = take_in(storage, listed, config.images, config.model.input_size, folder)
    manifest = taken.manifest
    label_of = manifest["key"].map(folders)
    both = manifest["image_id"].notna() & (label_of.groupby(manifest["image_id"]).transform("nunique") > 1)
    if both.any():
        named = ", ".join(manifest.loc[both, "key"].head(4))
        raise NeedsAttention(f"{root}: the same file is in the folders of two classes: {named}; remove the wrong one")
    accepted = manifest[manifest["status"] == "accepted"].reset_index(drop=True)
    splits = decide_splits(known_splits(storage, layout), accepted, HOLDOUT_SHARE)
    table = pd.DataFrame(
        {
            "image_id": accepted["image_id"],
            "label": accepted["key"].map(folders),
            "split": accepted["image_id"].map(splits.set_index("image_id")["split"]),
            "key": accepted["key"],
            "phash": accepted["phash"],
        }
    )
    _refuse_missing(table, config.classes, root)
    storage.write_table(layout.splits, splits)
    storage.write_array(layout.training_inputs, taken.inputs)
    storage.write_table(layout.training_features, taken.features)
    storage.write_table(layout.training_set, table)
    counts = manifest["status"].value_counts()
    return {
        "listed": len(found),
        **{status: int(counts.get(status, 0)) for status in ("accepted", "duplicate", "quarantined")},
        "ignored": len(found) - len(listed),
        "images": _counts(table, ["split", "label"]),
    }


def collect_training_set(
    storage: Storage,
    layout: MonitorLayout,
    config: MonitorConfig,
    run_key: str,
    first_day: date,
    last_day: date,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Writes retraining/<run_key>/set.parquet: the original set and the human labels of the days from first to last, inclusive.

    Of the labels those by consensus, with a confidence of at least `retraining.min_confidence`, count. Columns: image_id,
    label, split, source (original or human), day ("" for the original set), confidence, row (the image's place in the inputs
    of the original set or of its day). Images that the original set has keep their label and split there; one that was
    labelled on two days counts once, with its more confident label.
    The same days and settings give the same bytes. Raises NotEnoughLabels below `retraining.min_new_labels`.
    Returns the dataset card (`summary`, the days, and what was left out, why) and writes it beside the set; a dry run writes nothing.
    """
    original = storage.read_table(layout.training_set)
    splits = _with_original(known_splits(storage, layout), original)
    days = days_between(storage, layout, first_day, last_day)
    human, splits, left_out = _human_labels(storage, layout, config, days, set(original["image_id"]), splits)
    if len(human) < config.retraining.min_new_labels:
        raise NotEnoughLabels(
            f"{layout.monitor}: {len(human)} human labels of {first_day} to {last_day} can be used (left out: {left_out}); "
            f"retraining.min_new_labels is {config.retraining.min_new_labels}: label more days or widen the range"
        )
    base = original.assign(source=ORIGINAL, day="", confidence=1.0, row=np.arange(len(original)))
    columns = ["image_id", "label", "split", "source", "day", "confidence", "row"]
    table = pd.concat([base[base["split"] != LEFT_OUT], human], ignore_index=True)[columns]
    found = {
        **summary(table),
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "left_out": left_out,
    }
    if not dry_run:
        storage.write_table(layout.splits, splits)
        storage.write_table(layout.retraining(run_key, SET), table)
        storage.write_json(layout.retraining(run_key, DATASET_CARD), found)
    return found


def _with_original(splits: pd.DataFrame, original: pd.DataFrame) -> pd.DataFrame:
    """The known splits, the original set's among them even where it was taken in before splits were written down."""
    missing = original.loc[~original["image_id"].isin(splits["image_id"]), ["image_id", "phash", "split"]]
    return pd.concat([splits, missing.assign(day="")], ignore_index=True) if len(missing) else splits


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """A dataset card: how many images by source, split, class, day and agreement (the share of votes for the label), and what
    share of the training part each class and each day makes up."""
    human = table[table["source"] == HUMAN]
    train = table[table["split"] == TRAIN]
    agreement = human.assign(agreement=human["confidence"].map("{:.2f}".format))
    return {
        "images": len(table),
        "new_labels": len(human),
        "by_source": _counts(table, ["source", "split"]),
        "by_class": _counts(table, ["label", "source"]),
        "by_day": _counts(human, ["day", "split"]),
        "by_day_and_class": _counts(human, ["day", "label"]),
        "by_agreement": _counts(agreement, ["label", "agreement"]),
        "class_balance": _shares(train["label"]),
        "day_mix": _shares(train["day"].where(train["source"] == HUMAN, ORIGINAL)),
        "mean_confidence": round(float(human["confidence"].mean()), 4) if len(human) else None,
    }


def _shares(values: pd.Series) -> dict[str, float]:
    return {
        str(name): round(float(share), 4) for name, share in values.value_counts(normalize=True).sort_index().items()
    }


def load_inputs(storage: Storage, layout: MonitorLayout, table: pd.DataFrame) -> np.ndarray:
    """The model's inputs of a collected set's rows, uint8 [n, S, S, 3] in their order."""
    parts = []
    for day, rows in table.groupby("day", sort=False)["row"]:
        places = rows.to_numpy()
        if day:
            found = DayInputs(storage, layout.day(date.fromisoformat(str(day)))).take(places)
        else:
            found = storage.read_array(layout.training_inputs)[places]
        parts.append((rows.index, found))
    inputs = np.empty((len(table), *parts[0][1].shape[1:]), np.uint8)
    for index, found in parts:
        inputs[table.index.get_indexer(index)] = found
    return inputs


def load_features(storage: Storage, layout: MonitorLayout, table: pd.DataFrame) -> pd.DataFrame:
    """The features of a collected set's rows, by source and day."""
    parts = []
    for day, rows in table.groupby("day", sort=True)["row"]:
        key = layout.day(date.fromisoformat(str(day))).features if day else layout.training_features
        parts.append(storage.read_table(key).iloc[rows.to_numpy()])
    return pd.concat(parts, ignore_index=True)


def image_keys(storage: Storage, layout: MonitorLayout, table: pd.DataFrame) -> pd.Series:
    """The storage key of the file of each row of a collected set, in its order."""
    keys = storage.read_table(layout.training_set).set_index("image_id")["key"].to_dict()
    for day in sorted(set(table["day"]) - {""}):
        manifest = storage.read_table(layout.day(date.fromisoformat(day)).manifest)
        keys |= manifest[manifest["status"] == "accepted"].set_index("image_id")["key"].to_dict()
    return table["image_id"].map(keys)


def _human_labels(
    storage: Storage,
    layout: MonitorLayout,
    config: MonitorConfig,
    days: list[str],
    original: set[str],
    splits: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """The usable labels of the days by day and image id, `splits` with those of the days' images, and how many labels were left
    out, why."""
    left_out = dict.fromkeys(
        ("no_consensus", "low_confidence", "in_original_set", "labelled_twice", "near_two_splits"), 0
    )
    frames = []
    for name in days:
        day = layout.day(date.fromisoformat(name))
        if not storage.exists(day.labels):
            continue
        labels = storage.read_table(day.labels)[["image_id", "label", "status", "confidence"]]
        agreed = labels[labels["status"] == "consensus"]
        sure = agreed[agreed["confidence"] >= config.retraining.min_confidence]
        new = sure[~sure["image_id"].isin(original)]
        left_out["no_consensus"] += len(labels) - len(agreed)
        left_out["low_confidence"] += len(agreed) - len(sure)
        left_out["in_original_set"] += len(sure) - len(new)
        ids = storage.read_table(day.features)["image_id"]
        rows = pd.Series(np.arange(len(ids)), index=ids)
        frames.append(new.assign(day=name, row=rows.reindex(new["image_id"]).to_numpy()))
        manifest = storage.read_table(day.manifest)[["image_id", "phash"]]
        seen = manifest[manifest["image_id"].isin(labels["image_id"])]
        splits = decide_splits(splits, seen, config.retraining.evaluation_share, name)
    found = pd.concat(frames, ignore_index=True) if frames else _NO_LABELS
    if found["row"].isna().any():
        lost = found[found["row"].isna()].iloc[0]
        raise NeedsAttention(
            f"{lost['day']}: labelled image {lost['image_id']} is not in the day's features.parquet: the day's images changed "
            "after the sample was drawn; put them back and ingest the day again"
        )
    once = found.sort_values("confidence", ascending=False, kind="stable").drop_duplicates("image_id")
    left_out["labelled_twice"] = len(found) - len(once)
    once = once.sort_values(["day", "image_id"], ignore_index=True)
    once = once.assign(
        split=once["image_id"].map(splits.set_index("image_id")["split"]), source=HUMAN, row=once["row"].astype("int64")
    )
    apart = once["split"] == LEFT_OUT
    left_out["near_two_splits"] = int(apart.sum())
    return once[~apart].reset_index(drop=True), splits, left_out


def days_between(storage: Storage, layout: MonitorLayout, first_day: date, last_day: date) -> list[str]:
    """The days of the range that have artifacts, as YYYY-MM-DD, sorted."""
    return [name for name in storage.folders(layout.days) if first_day.isoformat() <= name <= last_day.isoformat()]


def _refuse_missing(table: pd.DataFrame, classes: Iterable[str], root: str) -> None:
    for name in classes:
        for split in (TRAIN, EVALUATION):
            if not ((table["label"] == name) & (table["split"] == split)).any():
                raise NeedsAttention(
                    f"{root}/{name}: no usable image for {split} among {int((table['label'] == name).sum())}; put labelled images "
                    "there (at least about 30 a class; a few hundred make a usable model)"
                )


def _counts(table: pd.DataFrame, by: list[str]) -> dict[str, dict[str, int]]:
    """Nested counts {first: {second: n}}, sorted."""
    found: dict[str, dict[str, int]] = {}
    for (first, second), n in table.groupby(by, sort=True).size().items():
        found.setdefault(str(first), {})[str(second)] = int(n)
    return found


def bad_and_good_days(storage: Storage, layout: MonitorLayout, table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The days whose human labels a collected set has: those that a challenger must be better on, and those on which it must not be worse.

    Days with a performance alert, and days found ok in features and performance; without any alert, all days and none.
    """
    days = sorted(set(table.loc[table["source"] == HUMAN, "day"]))
    verdicts = {}
    for name in days:
        day = layout.day(date.fromisoformat(name))
        verdicts[name] = [
            storage.read_json(key)["verdict"] if storage.exists(key) else None for key in (day.performance, day.drift)
        ]
    alerts = [name for name in days if verdicts[name][0] == "alert"]
    if not alerts:
        return days, []
    return alerts, [name for name in days if verdicts[name] == ["ok", "ok"]]
