"""Labels of the images that people saw for training alone: they stand apart, so that no estimate takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.labels.annotators import whose_votes_count
from driftwatch.labels.assignments import given_in_time
from driftwatch.labels.consensus import MergeRules, control_answers, counted_votes, merge_answers
from driftwatch.models.as_trained import for_day

if TYPE_CHECKING:
    from driftwatch.artifacts.annotation import AnnotationPlan
    from driftwatch.artifacts.store import DayStore


def merge_extra(day: DayStore, plan: AnnotationPlan) -> int:
    """Merges the answers for the plan's `extra` images as `consensus.merge_day` does those for the sample, into extra_labels.parquet.
    Returns how many have a label."""
    day = day.with_config(for_day(day))
    assignments = whose_votes_count(given_in_time(day.storage.read_table(day.keys.assignments)), day.config)
    asked = [image.image_id for image in plan.extra]
    votes = counted_votes(assignments, asked, day.config)
    labels = merge_answers(votes, MergeRules.of(day.config), asked, control_answers(assignments))
    day.storage.write_table(day.keys.extra_labels, labels.rename(columns={"task": "image_id"}))
    return int(labels["label"].notna().sum())
