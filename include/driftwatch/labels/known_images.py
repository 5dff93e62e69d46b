"""Images whose truth is known, for control tasks and the exam: the original set's holdout, and what earlier days agreed on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import ExamPlan, KnownImage
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import DriftwatchError
from driftwatch.images.judged import told_of
from driftwatch.labels.sample import CanShow, seeded_order
from driftwatch.models.original_set import set_keys
from driftwatch.storage.elsewhere import storage_of

if TYPE_CHECKING:
    import pandas as pd

# Which of some image ids may not be used.
Exclude = Callable[[Collection[str]], Collection[str]]
# How far back agreed labels are taken as known: long enough for variety, short enough to look like today's images.
DAYS_BACK = 30
# Fewer annotators who agree prove little.
MIN_VOTES = 3


def plan_exam(store: MonitorStore, links_end: datetime, can_show: CanShow | None = None) -> ExamPlan | None:
    """The exam's tasks and settings, the same for every day; None where the monitor has none."""
    exam = store.config.labels.exam
    if exam is None:
        return None
    # Not by the day: annotators who passed yesterday find the same training.
    known = _in_turn(_holdout(store), store.config, None, "exam")
    usable = (task for task in known if can_show is None or can_show(task.image_id, task.key))
    tasks = tuple(islice(usable, exam.tasks))
    if len(tasks) < exam.tasks:
        raise DriftwatchError(
            f"{store.storage.url(set_keys(store).table)} has {len(tasks)} images outside its train split that can be shown in an exam of "
            f"{exam.tasks} (labels.exam.tasks): lower it, or add labelled images to {store.storage.url(store.keys.training_images)}"
        )
    return ExamPlan(
        tasks=tasks,
        passing_percent=exam.passing_percent,
        retry_after_days=exam.retry_after_days,
        links_end=links_end,
    )


def control_tasks(day: DayStore, exclude: Exclude, can_show: CanShow | None = None) -> tuple[KnownImage, ...]:
    """`labels.control_tasks` images of known truth, classes in turn, drawn anew for each day; sorted by image id.

    They come from the part of the original set that no model is trained on. With `labels.control_from_labels`, for at most half
    where there are enough of those, they also come from images of the last DAYS_BACK days to which at least MIN_VOTES annotators
    gave one and the same answer. `exclude`: tells of some ids which are images of the day or of the exam. Raises DriftwatchError where there are fewer than a
    page needs.
    """
    annotation, store = day.config.labels, day.monitor
    if annotation.control_tasks == 0:
        return ()
    chosen = _choose(day, exclude)
    # An incoming file may have been cleared away or replaced since it was labelled.
    there = [task for task in chosen if (can_show(task.image_id, task.key) if can_show else is_there(store, task.key))]
    if len(there) < annotation.control_tasks_per_page:
        gone = f", and the files of {len(chosen) - len(there)} more are gone" if len(chosen) > len(there) else ""
        raise DriftwatchError(
            f"{store.storage.url(set_keys(store).table)} has {len(there)} images outside its train split{gone}; control tasks need at least "
            f"{annotation.control_tasks_per_page}: add labelled images to {store.storage.url(store.keys.training_images)}"
        )
    return tuple(sorted(there, key=lambda task: task.image_id))


def is_there(store: MonitorStore, key: str) -> bool:
    """Whether there still is a file at the stored key of an image, in the monitor's storage or elsewhere."""
    storage, inside = storage_of(key, store.storage, store.elsewhere)
    return storage.exists(inside)


def _choose(day: DayStore, exclude: Exclude) -> list[KnownImage]:
    import pandas as pd

    annotation = day.config.labels
    known, salt = _holdout(day.monitor), ("control", annotation.seed, day.date)
    agreed = _agreed(day) if annotation.control_from_labels else []
    more = pd.concat([known, *agreed]).drop_duplicates("image_id")
    excluded = exclude(more["image_id"].tolist())
    known, more = (table[~table["image_id"].isin(excluded)] for table in (known, more))
    # Agreed images are easy by selection and tell nothing of label errors: half are for those of known truth, as far as there are.
    few = annotation.control_tasks if len(more) == len(known) else -(-annotation.control_tasks // 2)
    chosen = _in_turn(known, day.config, few, *salt)
    more = more[~more["image_id"].isin([task.image_id for task in chosen])]
    return chosen + _in_turn(more, day.config, annotation.control_tasks - len(chosen), *salt)


def _holdout(store: MonitorStore) -> pd.DataFrame:
    known = store.storage.read_table(set_keys(store).table)
    known["key"] = [own_key(store.keys.monitor, key) for key in known["key"]]
    return known.loc[known["split"] != "train", ["image_id", "key", "label"]]


def _agreed(day: DayStore) -> list[pd.DataFrame]:
    """image_id, key, label of each earlier day's images on which all annotators agree."""
    from driftwatch.labels.consensus import unanimous

    first, last = day.date - timedelta(days=DAYS_BACK), day.date - timedelta(days=1)
    tables = []
    for other in day.monitor.days():
        keys = day.monitor.keys.day(other)
        if not (first <= other <= last and day.storage.exists(keys.labels)):
            continue
        labels = day.storage.read_table(keys.labels)
        agreed = labels["votes"].ge(MIN_VOTES) & labels["status"].eq("consensus") & unanimous(labels)
        found = labels.loc[agreed, ["image_id", "label"]]
        manifest = told_of(day.monitor.day(other), keys.manifest, ["key", "status"], found["image_id"].tolist())
        manifest["key"] = [own_key(day.config.name, key) for key in manifest["key"]]
        accepted = manifest.loc[manifest["status"] == "accepted", ["image_id", "key"]]
        tables.append(found.merge(accepted, on="image_id"))
    return tables


def _in_turn(known: pd.DataFrame, config: MonitorConfig, wanted: int | None, *salt: object) -> list[KnownImage]:
    """Up to `wanted` images (all by default), one of each class after the other, each class in its seeded order."""
    rows = known.set_index("image_id")
    by_class = [seeded_order(rows.index[rows["label"] == name], config.name, *salt) for name in config.classes]
    turns = max(map(len, by_class), default=0)
    chosen = [ids[turn] for turn in range(turns) for ids in by_class if turn < len(ids)][:wanted]
    return [KnownImage(image_id=name, key=rows.loc[name, "key"], label=rows.loc[name, "label"]) for name in chosen]
