"""Training sets: the original labelled images, alone or together with the human labels of a range of days.

Every image stays in its split (train, validation or evaluation) for ever, however often a set is made. See driftwatch.models.splits.
"""

from __future__ import annotations

import logging
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from driftwatch.artifacts.keys import DATASET_CARD, ONLY_JUDGED, SET, own_key
from driftwatch.artifacts.retraining import DatasetCard, DatasetSummary
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention, NotEnoughLabels
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import told_of
from driftwatch.models.as_trained import refuse_other_champion, refuse_other_pixels
from driftwatch.models.human_labels import HUMAN, ORIGINAL, HumanLabels
from driftwatch.models.judging_days import bad_and_good_days, earlier_days
from driftwatch.models.original_set import copy_images, counts_by, refuse_other_set, set_keys, take_in_training_set
from driftwatch.models.segment_choice import of_other_segments
from driftwatch.models.splits import EVALUATION, LEFT_OUT, TRAIN, VALIDATION, known_splits, splits_lock
from driftwatch.storage.tables import places_of

logger = logging.getLogger(__name__)

__all__ = [
    "EVALUATION",
    "HUMAN",
    "LEFT_OUT",
    "ORIGINAL",
    "SET",
    "TRAIN",
    "VALIDATION",
    "bad_and_good_days",
    "copy_images",
    "take_in_training_set",
]
_OTHER_PIXELS = (
    "Start the retraining anew: a day whose pictures an earlier model took is left out of its set, and counted"
)


def collect_training_set(store: MonitorStore, run_key: str, first_day: date, last_day: date) -> DatasetCard:
    """Writes retraining/<run_key>/set.parquet: the original set and the human labels of the days from first to last, inclusive.

    A human label counts if the annotators reached a consensus and its confidence is at least `retraining.min_confidence`. Images that were
    labelled for training alone, and those that make a stratified sample uneven, are never for evaluation (`only_for_training`). The labels
    of a table count like human ones, on days on which they stand for all images of the day. Columns:
    image_id, label, split, source (original or human), day ("" for the original set), confidence, row (the image's place in the
    inputs of the original set or of its day), and, where there are any, `extra`: whether it was labelled for training alone. An image of the original set keeps its label and split. An image that was labelled on
    two days counts once, with its more confident label.
    Beside it, only_judged.parquet has the same columns: evaluation images of days before the first, which judge the challenger too
    (`earlier_days`). Nothing is trained on them. It is absent where there is none.
    The same days and settings give the same bytes. Raises NotEnoughLabels below `retraining.min_new_labels`.
    Returns the dataset card and writes it beside the set: `summary`, the days, and what was left out and why.
    """
    refuse_other_champion(store)
    with splits_lock(store) as lock:
        found = _collect(store, first_day, last_day)
        lock.check()
        store.storage.write_table(store.keys.splits, found.splits)
        store.storage.write_table(store.keys.retraining(run_key, SET), found.table)
        only_judged = store.keys.retraining(run_key, ONLY_JUDGED)
        if len(found.earlier):
            store.storage.write_table(only_judged, found.earlier)
        else:  # an earlier try with other settings may have left some
            store.storage.delete(only_judged)
        store.write(store.keys.retraining(run_key, DATASET_CARD), found.card)
    return found.card


def dataset_card(store: MonitorStore, first_day: date, last_day: date) -> DatasetCard:
    """The card of the set that `collect_training_set` would write. Writes nothing."""
    refuse_other_champion(store)
    return _collect(store, first_day, last_day).card


class _Collected(NamedTuple):
    """The splits of every image, the set, its dataset card, and the evaluation images of earlier days."""

    splits: pd.DataFrame
    table: pd.DataFrame
    card: DatasetCard
    earlier: pd.DataFrame


def _collect(store: MonitorStore, first_day: date, last_day: date) -> _Collected:
    original = store.storage.read_table(set_keys(store).table)
    refuse_other_set(store, original)
    labels = HumanLabels(store.config, set(original["image_id"]))
    splits = _with_original(known_splits(store), original)
    for name in days_between(store, first_day, last_day):
        splits = labels.add(store, name, splits)
    human = labels.usable(splits)
    elsewhere = of_other_segments(store, human)
    usable = int((~elsewhere).sum())
    if (other := elsewhere & (human["split"] != EVALUATION)).any():  # evaluation images judge all segments
        labels.left_out["other_segments"] = int(other.sum())
        human = human[~other].reset_index(drop=True)
    if usable < store.config.retraining.min_new_labels:
        raise NotEnoughLabels(
            f"{store.keys.monitor}: {usable} human labels of {first_day} to {last_day} can be used (left out: {labels.left_out}); "
            f"retraining.min_new_labels is {store.config.retraining.min_new_labels}: label more days or widen the range"
        )
    base = original.assign(source=ORIGINAL, day="", confidence=1.0, row=np.arange(len(original)), extra=False)
    marks = ["extra"] if human["extra"].any() else []
    columns = ["image_id", "label", "split", "source", "day", "confidence", "row", *marks]
    table = pd.concat([base[base["split"] != LEFT_OUT], human], ignore_index=True)[columns]
    card = DatasetCard(**dict(summary(table)), first_day=first_day, last_day=last_day, left_out=labels.left_out)
    splits, earlier = _earlier(store, first_day, last_day, splits, table)
    return _Collected(splits, table, card, earlier[[name for name in columns if name != "extra"]])


def _earlier(
    store: MonitorStore, first_day: date, last_day: date, splits: pd.DataFrame, table: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The splits with those of earlier days' images, which are decided on after the set's, and the evaluation images of these days."""
    labels = HumanLabels(store.config, set(table["image_id"]))
    for day in earlier_days(store, first_day, last_day):
        splits = labels.add(store, day.isoformat(), splits)
    found = labels.usable(splits)
    return splits, found[found["split"] == EVALUATION].reset_index(drop=True)


def _with_original(splits: pd.DataFrame, original: pd.DataFrame) -> pd.DataFrame:
    """The known splits, with those of the original set. An old original set was taken in before splits were written down."""
    missing = original.loc[~original["image_id"].isin(splits["image_id"]), ["image_id", "phash", "split"]]
    return pd.concat([splits, missing.assign(day="")], ignore_index=True) if len(missing) else splits


def summary(table: pd.DataFrame) -> DatasetSummary:
    """How many images there are by source, split, class, day and agreement (the share of votes for the label). Also the share of each
    class and each day in the training part."""
    human = table[table["source"] == HUMAN]
    train = table[table["split"] == TRAIN]
    agreement = human.assign(agreement=human["confidence"].map("{:.2f}".format))
    return DatasetSummary(
        images=len(table),
        new_labels=len(human),
        by_source=counts_by(table, ["source", "split"]),
        by_class=counts_by(table, ["label", "source"]),
        by_day=counts_by(human, ["day", "split"]),
        by_day_and_class=counts_by(human, ["day", "label"]),
        by_agreement=counts_by(agreement, ["label", "agreement"]),
        class_balance=_shares(train["label"]),
        day_mix=_shares(train["day"].where(train["source"] == HUMAN, ORIGINAL)),
        mean_confidence=round(float(human["confidence"].mean()), 4) if len(human) else None,
    )


def _shares(values: pd.Series) -> dict[str, float]:
    return {
        str(name): round(float(share), 4) for name, share in values.value_counts(normalize=True).sort_index().items()
    }


def load_inputs(store: MonitorStore, table: pd.DataFrame) -> np.ndarray:
    """The model's inputs of a collected set's rows, uint8 [n, h, w, 3] in their order. Raises NeedsAttention if one is gone, or if a day's
    pictures were made in another way than the monitor file says."""
    parts = []
    for day, rows in table.groupby("day", sort=False):
        places = _places(store, str(day), rows)
        if day:
            inputs = DayInputs(store.day(date.fromisoformat(str(day))))
            refuse_other_pixels(inputs.pixels, store.config, f"the images of {day}", _OTHER_PIXELS)
            found = inputs.take(places.tolist())
        else:
            found = store.storage.read_array(set_keys(store).inputs)[places]
        parts.append((rows.index, found))
    whole = np.empty((len(table), *parts[0][1].shape[1:]), np.uint8)
    for index, found in parts:
        whole[table.index.get_indexer(index)] = found
    return whole


def _features_key(store: MonitorStore, day: str) -> str:
    return store.keys.day(date.fromisoformat(day)).features if day else set_keys(store).features


def _places(store: MonitorStore, day: str, rows: pd.DataFrame) -> np.ndarray:
    """Where each image lies now, found by its id. `row` may be out of date: the original set was replaced, or the day was taken in again."""
    key = _features_key(store, day)
    places = places_of(store.storage, key, rows["image_id"].tolist())
    if (places < 0).any():
        gone = rows["image_id"].to_numpy()[places < 0]
        what = f"the images of {day} were" if day else "the training images were"
        raise NeedsAttention(
            f"{store.storage.url(key)} has {len(gone)} of {len(rows)} images of this model's data no more, the first is {gone[0]}: {what} "
            "replaced since the set was collected. Put them back and take them in again, or start the retraining anew"
        )
    return places


def image_keys(store: MonitorStore, table: pd.DataFrame) -> pd.Series:
    """The storage key of the file of each row of a collected set, in its order."""
    keys = store.storage.read_table(set_keys(store).table).set_index("image_id")["key"].to_dict()
    for name, rows in table[table["day"] != ""].groupby("day"):
        day, ids = store.day(date.fromisoformat(str(name))), rows["image_id"].tolist()
        manifest = told_of(day, day.keys.manifest, ["key", "status"], ids)
        keys |= manifest[manifest["status"] == "accepted"].set_index("image_id")["key"].to_dict()
    return table["image_id"].map({image_id: own_key(store.keys.monitor, key) for image_id, key in keys.items()})


def days_between(store: MonitorStore, first_day: date, last_day: date) -> list[str]:
    """The days of the range that have artifacts, as YYYY-MM-DD, sorted."""
    return [day.isoformat() for day in store.days() if first_day <= day <= last_day]
