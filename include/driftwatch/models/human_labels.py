"""The labels of days that can be trained on or judge: agreed, sure, each image once and in one split."""

from __future__ import annotations

from datetime import date

import pandas as pd

from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.ingest import InputsIndex
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.images.inputs import has_inputs
from driftwatch.images.judged import told_of
from driftwatch.models.even_sample import only_for_training
from driftwatch.models.splits import EVALUATION, LEFT_OUT, decide_splits
from driftwatch.storage.tables import places_of

ORIGINAL, HUMAN = "original", "human"
_COLUMNS = ["image_id", "label", "status", "confidence"]
_NONE = pd.DataFrame(columns=[*_COLUMNS, "day", "row", "extra"])


class HumanLabels:
    """The usable labels of some days, and how many labels were left out for which reason."""

    def __init__(self, config: MonitorConfig, original: set[str]) -> None:
        self._classes, self._settings, self._original = config.classes, config.retraining, original
        self._pixels = ModelInput.of(config.model.input).pixels
        self._days: list[pd.DataFrame] = []
        self._uneven: set[str] = set()
        reasons = ("no_consensus", "low_confidence", "in_original_set", "labelled_twice", "near_two_splits")
        self.left_out = dict.fromkeys(reasons, 0)

    def add(self, store: MonitorStore, name: str, splits: pd.DataFrame) -> pd.DataFrame:
        """Adds the labels of the day `name`, if it has any. Returns `splits`, to which the splits of its labelled images are added."""
        of_day = store.day(date.fromisoformat(name))
        day = of_day.keys
        if not store.storage.exists(day.labels):
            return splits
        labels = store.storage.read_table(day.labels)[_COLUMNS].assign(extra=False)
        if store.storage.exists(day.extra_labels):
            more = store.storage.read_table(day.extra_labels)[_COLUMNS].assign(extra=True)
            labels = pd.concat([labels, more], ignore_index=True)
        table = of_day.find(LabelTable)
        if table and table.no_interval:  # the gate compares models on a random part of the days
            self.left_out["not_random"] = self.left_out.get("not_random", 0) + int(labels["label"].notna().sum())
            return splits
        index = of_day.find(InputsIndex)
        if index and not has_inputs(of_day):  # by storage.keep
            self.left_out["inputs_removed"] = self.left_out.get("inputs_removed", 0) + len(labels)
            return splits
        if index and index.pixels != self._pixels:  # an earlier model took other pictures
            self.left_out["other_pixels"] = self.left_out.get("other_pixels", 0) + len(labels)
            return splits
        new = self._new(labels)
        self._days.append(new.assign(day=name, row=places_of(store.storage, day.features, new["image_id"].tolist())))
        told = told_of(of_day, day.manifest, ["phash"], labels["image_id"].tolist())
        seen = told[told["image_id"].isin(labels["image_id"])]
        uneven = only_for_training(of_day, labels)
        self._uneven |= uneven
        apart = seen["image_id"].isin(uneven)
        splits = decide_splits(splits, seen[~apart], self._settings.evaluation_share, name)
        return decide_splits(splits, seen[apart], 0.0, name)

    def _new(self, labels: pd.DataFrame) -> pd.DataFrame:
        """The labels of a day that are agreed on and new. Counts the others."""
        agreed = labels[labels["status"] == "consensus"]
        sure = agreed[agreed["confidence"] >= self._settings.min_confidence]
        black = sure["image_id"].str.startswith(FORGOTTEN)
        if black.any():
            self.left_out["forgotten"] = self.left_out.get("forgotten", 0) + int(black.sum())
            sure = sure[~black]
        known = sure[sure["label"].isin(self._classes)]
        new = known[~known["image_id"].isin(self._original)]
        if len(known) < len(sure):  # the day was labelled when there was one class more
            self.left_out["class_is_gone"] = self.left_out.get("class_is_gone", 0) + len(sure) - len(known)
        self.left_out["no_consensus"] += len(labels) - len(agreed)
        self.left_out["low_confidence"] += len(agreed) - len(sure) - int(black.sum())
        self.left_out["in_original_set"] += len(known) - len(new)
        return new

    def usable(self, splits: pd.DataFrame) -> pd.DataFrame:
        """Each image once, with its split, sorted by day and image id. Call this when all days are added."""
        found = pd.concat(self._days, ignore_index=True) if self._days else _NONE
        gone = found["row"] < 0  # the day was taken in again without their files
        if gone.any():
            self.left_out["gone_from_day"] = int(gone.sum())
            found = found[~gone]
        once = found.sort_values("confidence", ascending=False, kind="stable").drop_duplicates("image_id")
        self.left_out["labelled_twice"] = len(found) - len(once)
        once = once.sort_values(["day", "image_id"], ignore_index=True)
        split = once["image_id"].map(splits.set_index("image_id")["split"])
        once = once.assign(split=split, source=HUMAN, row=once["row"].astype("int64"))
        apart = once["split"] == LEFT_OUT
        self.left_out["near_two_splits"] = int(apart.sum())
        judging = once["image_id"].isin(self._uneven) & (once["split"] == EVALUATION)
        if judging.any():
            self.left_out["only_for_training"] = int(judging.sum())
        return once[~(apart | judging)].reset_index(drop=True)
