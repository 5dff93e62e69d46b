"""Every metric by name, with its labels and its meaning. docs/operate/metrics.md is checked against this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "driftwatch_"


@dataclass(frozen=True)
class Metric:
    """`name`: without PREFIX. `labels`: beside `monitor`, which each has."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


METRICS: Final = (
    Metric("images", "Files of the newest day, by what became of them.", ("status",)),
    Metric("images_quarantined", "Files of the newest day that were refused, by the kind of reason.", ("reason",)),
    Metric("drifted", "Whether the newest day's images have drifted: 1, 0, and no sample without enough evidence.", ("kind",)),
    Metric("drift_p_value", "The chance of such a day without drift, by kind of drift.", ("kind",)),
    Metric("drift_effect", "The size of the difference, 0 to 1: the largest of the features' effects, or the share of answers that moved.", ("kind",)),
    Metric("segments_drifted", "Segments of the newest day that have drifted or are missing, by segmentation.", ("group",)),
    Metric("accuracy", "Accuracy of the newest judged day, that the verdict rests on, with the bounds of its interval.", ("bound",)),
    Metric("accuracy_floor", "Below this accuracy a day is an alert."),
    Metric("labels", "Images of the newest judged day, by what became of their labels.", ("state",)),
    Metric("verdict", "1 for the verdict of the newest judged day, 0 for the others.", ("verdict",)),
    Metric("label_spend_usd", "USD that labels take: of the newest planned day, and of its calendar month.", ("period",)),
    Metric("label_budget_usd", "The limits of the monitor file in USD.", ("period",)),
    Metric("label_queue_age_seconds", "For how long the oldest open pool has been waiting for answers; no sample where none is open."),
    Metric("day_timestamp_seconds", "Midnight UTC of the newest day that has this, in seconds since 1970.", ("of",)),
    Metric("day_failed", "1 where the newest day's run has failed and was not repaired, else 0."),
    Metric("step_seconds", "How long a step took, at its last end.", ("step",)),
    Metric("step_peak_memory_bytes", "The most memory of a step's process, at its last end.", ("step",)),
    Metric("service_repeats", "Calls that a step had to send again, by service; counted.", ("service",)),
)  # fmt: skip
BY_NAME: Final = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class Sample:
    """One number. `labels`: beside `monitor`, in the order of its metric's."""

    name: str
    value: float
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert len(BY_NAME[self.name].labels) == len(self.labels), self
