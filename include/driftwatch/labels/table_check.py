"""People who label a small random sample of a day, to tell how often a table of the truth is right. Their answers decide nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.check_keys import CheckKeys
from driftwatch.artifacts.label_table import Differing, LabelTable, TableCheck
from driftwatch.artifacts.store import DayStore
from driftwatch.models.metrics import share

MOST_DIFFERING = 100


@dataclass(frozen=True)
class CheckedDay(DayStore):
    """A day whose answers of people lie beside the labels of the table."""

    @property
    def keys(self) -> CheckKeys:
        return CheckKeys(self.config.name, self.date)


def not_taken_in(day: DayStore) -> bool:
    """Whether people labelled images that labels.parquet has no row for, though every image gets a label: it was written before they were asked."""
    people, table = CheckedDay(day.monitor, day.date).keys.labels, day.find(LabelTable)
    if table is None or table.of_images is None or not day.storage.exists(people):
        return False
    plan = day.find(AnnotationPlan)
    asked = {*day.storage.read_arrow(people, ["image_id"])["image_id"].to_pylist()} - (plan.surplus if plan else set())
    return not asked <= {*day.storage.read_arrow(day.keys.labels, ["image_id"])["image_id"].to_pylist()}


def check_of(day: DayStore) -> TableCheck | None:
    """How far labels.parquet, which is the table's, and people agree; None before people's answers are merged.

    The sample was drawn at random from the day's images. So the images that have both labels are a random part of those that the table has.
    """
    theirs = CheckedDay(day.monitor, day.date).keys.labels
    if not day.storage.exists(theirs):
        return None
    people, plan = day.storage.read_table(theirs)[["image_id", "label"]], day.find(AnnotationPlan)
    if plan is not None:  # late images whose chance was a greater one
        people = people[~people["image_id"].isin(plan.surplus)]
    table = day.storage.read_table(day.keys.labels)[["image_id", "label"]]
    agreed = people[people["label"].notna()]
    both = agreed.merge(table[table["label"].notna()], on="image_id", suffixes=("_people", "_table"))
    apart = both[both["label_people"] != both["label_table"]].sort_values("image_id")
    rows = apart.head(MOST_DIFFERING)
    return TableCheck(
        sampled=len(people),
        by_people=len(agreed),
        agreement=share(
            len(both) - len(apart), len(both), day.config.performance.confidence, "no image has both labels yet"
        ),
        differing=tuple(
            Differing(image_id=image_id, table=ours, people=said)
            for image_id, ours, said in zip(rows["image_id"], rows["label_table"], rows["label_people"], strict=True)
        ),
    )
