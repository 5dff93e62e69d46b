"""What a notebook asks for in one call: a stored day as tables and typed values, and the accuracy of answers by labels.

Everything here only reads. `import driftwatch` offers these names; docs/notebooks.md shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pandas as pd

from driftwatch.artifacts import base
from driftwatch.artifacts.accuracy import Estimate, Metrics, Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.days import day_of, stored_days
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.errors import DriftwatchError, MissingArtifact
from driftwatch.models.metrics import measure
from driftwatch.storage import Storage, open_storage

D = TypeVar("D", bound=base.DayArtifact)
_SHARES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Day:
    """One stored day of a monitor, as `load_day` gives it.

    Each artifact is read when it is first asked for, and kept. It is None where no step of the day has written it. JSON artifacts
    are typed values (driftwatch.artifacts), tables are DataFrames. `image_id` is the SHA-256 of an image file's bytes.
    What is asked for raises DamagedArtifact, with the file and the field, where it is not what Driftwatch writes.

    >>> day = load_day("tests/data/artifacts_0_1/cats_vs_dogs", "2026-01-08")
    >>> day.drift.verdict, day.performance.verdict
    ('drifted', 'alert')
    >>> day.predictions.columns.tolist()
    ['image_id', 'prediction', 'score.cat', 'score.dog', 'model_version']
    >>> day.labelled.value_counts(["label", "prediction"]).to_dict()
    {('dog', 'dog'): 171, ('cat', 'cat'): 105, ('cat', 'dog'): 104, ('dog', 'cat'): 46}
    """

    storage: Storage = field(repr=False)
    keys: DayKeys

    @property
    def date(self) -> date:
        """The run's own date, UTC."""
        return self.keys.day

    @cached_property
    def ingest(self) -> Ingest | None:
        """How many files were listed, accepted, duplicate, quarantined and ignored, and the model version of the day."""
        return self._artifact(Ingest)

    @cached_property
    def drift(self) -> DayDrift | None:
        """The drift test of the images' features, in the morning."""
        return self._artifact(DayDrift)

    @cached_property
    def content_drift(self) -> ContentDrift | None:
        """The drift tests of content and of predicted classes, once the model has answered."""
        return self._artifact(ContentDrift)

    @cached_property
    def estimate(self) -> Estimate | None:
        """The accuracy that the model's scores tell before there is a label."""
        return self._artifact(Estimate)

    @cached_property
    def annotation(self) -> AnnotationPlan | None:
        """What people were asked, and what it may cost."""
        return self._artifact(AnnotationPlan)

    @cached_property
    def performance(self) -> Performance | None:
        """The measured accuracy with its interval, and the day's verdict."""
        return self._artifact(Performance)

    @cached_property
    def manifest(self) -> pd.DataFrame | None:
        """One row for each listed file: key, image_id, bytes, status, reason, format, width and height (pixels), phash."""
        return self._table(self.keys.manifest)

    @cached_property
    def features(self) -> pd.DataFrame | None:
        """One row for each accepted image: image_id, and the features, one column each (see `extract_features`)."""
        return self._table(self.keys.features)

    @cached_property
    def predictions(self) -> pd.DataFrame | None:
        """One row for each accepted image: image_id, prediction (a class), `score.<class>` (0 to 1), model_version."""
        return self._table(self.keys.predictions)

    @cached_property
    def assignments(self) -> pd.DataFrame | None:
        """One row for each answer of a person, control tasks included."""
        return self._table(self.keys.assignments)

    @cached_property
    def labels(self) -> pd.DataFrame | None:
        """One row for each image of the sample: image_id, and what `merge_answers` found."""
        return self._table(self.keys.labels)

    @cached_property
    def annotators(self) -> pd.DataFrame | None:
        """One row for each annotator of the day: answers, control tasks right, agreement with the others."""
        return self._table(self.keys.annotators)

    @cached_property
    def labelled(self) -> pd.DataFrame:
        """The images that have a label, by image_id: label, prediction, `score.<class>`, model_version.

        They are no plain random sample of a day that was drawn by strata, or whose table covers a part that nobody knows how it was chosen:
        `performance` has the accuracy of such a day.

        Raises MissingArtifact where the day has no labels or no predictions yet.
        """
        if self.labels is None or self.predictions is None:
            missing = "labels.parquet" if self.labels is None else "predictions.parquet"
            raise MissingArtifact(
                f"{self.keys.monitor} {self.date} has no {missing} yet: look at the day's run in Airflow, and wait for the step "
                f"{'merge_annotations' if self.labels is None else 'predict_labels'}"
            )
        labels = self.labels.loc[self.labels["label"].notna(), ["image_id", "label"]].set_index("image_id")
        found = labels.join(self.predictions.set_index("image_id"), how="left", validate="one_to_one")
        # Of a forgotten image a day that was taken in again since has the label alone.
        return found[~(found.index.str.startswith(FORGOTTEN) & found["prediction"].isna())]

    def _artifact(self, kind: type[D]) -> D | None:
        return base.find(self.storage, self.keys.file(kind.file), kind)

    def _table(self, key: str) -> pd.DataFrame | None:
        try:
            return self.storage.read_table(key)
        except MissingArtifact:
            return None


@dataclass(frozen=True)
class Accuracy:
    """How right a model's answers are on a random sample of labelled images, as `accuracy_of` gives it.

    `value`: the share of right answers, 0 to 1. `low`, `high`: Wilson's interval for it at `confidence`. `n`: images with a label.
    `per_class`: one row for each class: precision, recall and f1, each with its interval in `<name>_low` and `<name>_high`, and
    support, the images of the class; NaN where a share is of nothing.
    `confusion`: images, int64; a row is a true class, a column an answer.

    >>> accuracy_of(["cat", "dog"], ["cat", "dog"]).confusion.to_numpy().tolist()
    [[1, 0], [0, 1]]
    """

    value: float
    low: float
    high: float
    n: int
    confidence: float
    per_class: pd.DataFrame = field(repr=False)
    confusion: pd.DataFrame = field(repr=False)


def list_days(monitor: str | Path) -> list[date]:
    """The days of a monitor that have a folder in its storage, in order. `monitor`: as for `load_day`.

    >>> list_days("tests/data/artifacts_0_1/cats_vs_dogs")
    [datetime.date(2026, 1, 8)]
    """
    storage, keys = _place(monitor)
    return stored_days(storage, keys)


def load_day(monitor: str | Path, day: date | str) -> Day:
    """One stored day of a monitor.

    `monitor`: the monitor file (`*.yaml`), whose `storage.uri` is used; or the address of the monitor's own folder, like
    `s3://bucket/prefix/cats_vs_dogs` or a path. An object store takes its credentials from the environment, as boto3 does.
    `day`: a date, a text like `2026-01-08`, or a time such as a pandas Timestamp, whose own date is meant.

    Raises ConfigError for a bad monitor file, DriftwatchError for a text that is no day or an address that is none, and
    MissingArtifact, naming the days that are there, for a day without a folder.

    >>> day = load_day("tests/data/artifacts_0_1/cats_vs_dogs", "2026-01-08")
    >>> day.ingest.accepted, day.ingest.model_version
    (480, 'v0001-2f099e5a')
    >>> day.performance.accuracy.value == accuracy_of(day.labelled["label"], day.labelled["prediction"]).value
    True
    """
    wanted = day_of(day) if isinstance(day, str) else day.date() if isinstance(day, datetime) else day
    if wanted is None:
        raise DriftwatchError(f"day {day!r}: a day is expected, like 2026-01-08")
    storage, keys = _place(monitor)
    days = stored_days(storage, keys)
    if wanted not in days:
        there = f"the first is {days[0]}, the last {days[-1]}" if days else "it has none at all"
        raise MissingArtifact(
            f"{storage.url(keys.days)} has no day {wanted}: {there}; driftwatch.list_days lists its days"
        )
    return Day(storage, keys.day(wanted))


def accuracy_of(
    labels: Sequence[str | None] | pd.Series,
    predictions: Sequence[str] | pd.Series,
    classes: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Accuracy:
    """How often `predictions` agree with `labels`, for images that are a random sample.

    Two Series are matched by their index, such as image_id; anything else by position. An image without a label (None or NaN)
    is left out; a prediction without a label too. `classes`: the order of the classes; by default every name that occurs, sorted.
    `confidence`: of the intervals, between 0 and 1.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927). Raises DriftwatchError for
    lengths that differ, a label without a prediction, an index with one name twice, a name that is no class, and for no label at all.

    >>> found = accuracy_of(["cat", "cat", "dog", None], ["cat", "dog", "dog", "dog"])
    >>> round(found.value, 3), found.n
    (0.667, 3)
    >>> round(found.low, 2), round(found.high, 2)
    (0.21, 0.94)
    >>> found.confusion.loc["cat"].to_dict()
    {'cat': 1, 'dog': 1}
    >>> found.per_class.loc["dog", ["precision", "recall", "support"]].tolist()
    [0.5, 1.0, 1.0]
    """
    if not 0 < confidence < 1:
        raise DriftwatchError(f"confidence is {confidence}; it must lie between 0 and 1, like 0.95")
    pairs = _pairs(labels, predictions)
    if pairs.empty:
        raise DriftwatchError("no image has a label; give at least one label that is not None")
    names = sorted({*pairs["label"], *pairs["prediction"]}) if classes is None else list(classes)
    strange = sorted({*pairs["label"], *pairs["prediction"]} - {*names})
    if strange:
        raise DriftwatchError(f"{', '.join(map(repr, strange))}: none of the classes {', '.join(map(repr, names))}")
    return _as_frames(measure(pairs["label"].tolist(), pairs["prediction"].tolist(), names, confidence), confidence)


def _pairs(labels: Sequence[str | None] | pd.Series, predictions: Sequence[str] | pd.Series) -> pd.DataFrame:
    """One row for each image with a label: label, prediction."""
    if isinstance(labels, pd.Series) and isinstance(predictions, pd.Series):
        for name, series in (("labels", labels), ("predictions", predictions)):
            if not series.index.is_unique:
                twice = series.index[series.index.duplicated()][0]
                raise DriftwatchError(f"{name} have {twice!r} twice in their index; keep one row for each image")
    elif len(labels) != len(predictions):
        raise DriftwatchError(
            f"{len(labels)} labels and {len(predictions)} predictions: give one prediction for each label, or two Series by image"
        )
    else:
        labels, predictions = pd.Series(list(labels), dtype=object), pd.Series(list(predictions), dtype=object)
    known = labels.dropna()
    pairs = pd.DataFrame({"label": known, "prediction": predictions.reindex(known.index)})
    without = pairs.index[pairs["prediction"].isna()]
    if len(without):
        raise DriftwatchError(f"{len(without)} labels have no prediction, the first at {without[0]!r}")
    return pairs


def _as_frames(found: Metrics, confidence: float) -> Accuracy:
    rows = {}
    for name, of_class in found.classes.items():
        row: dict[str, float | None] = {}
        for measured in _SHARES:
            share = getattr(of_class, measured)
            row |= {measured: share.value, f"{measured}_low": share.low, f"{measured}_high": share.high}
        rows[name] = {**row, "support": of_class.support}
    matrix, numbers = found.confusion_matrix, found.accuracy.numbers
    assert numbers is not None  # there is a label
    return Accuracy(
        *numbers,
        found.accuracy.n,
        confidence,
        pd.DataFrame.from_dict(rows, orient="index").astype({"support": "int64"}),
        pd.DataFrame(matrix.rows, pd.Index(matrix.labels, name="label"), pd.Index(matrix.labels, name="prediction")),
    )


def _place(monitor: str | Path) -> tuple[Storage, MonitorKeys]:
    """The storage of a monitor, and its keys."""
    address = str(monitor)
    if address.endswith((".yaml", ".yml")):
        config = load_monitor(address)
        return open_storage(config.storage.uri), MonitorKeys(config.name)
    if "://" not in address:
        address = f"file://{Path(address).expanduser().resolve()}"
    root, _, name = address.rstrip("/").rpartition("/")
    return open_storage(root), MonitorKeys(name)
