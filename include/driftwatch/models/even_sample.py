"""Which labelled images of a day may judge a model: those that are a random sample of the day, each with the same chance."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.label_table import LabelTable

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore


def only_for_training(day: DayStore, labels: pd.DataFrame) -> set[str]:
    """The image ids of `labels` (image_id, extra) that only may train a model.

    These are the images that were chosen for being hard (`extra`), those of a greater chance than the ones that came late (the plan's
    `surplus`), and of a stratified sample as many as make it uneven: each image stays with the chance of its own weight over the largest
    one, by the hash of its id. So what stays is a plain random sample.
    """
    # A table's labels were drawn by no plan: one that is there is of people who check them, or who labelled the day before.
    plan = None if day.has(LabelTable) else day.find(AnnotationPlan)
    hard = set(labels.loc[labels["extra"], "image_id"]) | (plan.surplus if plan else frozenset())
    weights = plan.weights if plan else {}
    if not weights:
        return hard
    largest = max(weights.values())
    return hard | {image_id for image_id, weight in weights.items() if _place(image_id) >= weight / largest}


def _place(image_id: str) -> float:
    digest = hashlib.sha256(f"driftwatch even sample {image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
