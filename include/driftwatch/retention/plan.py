"""What is over by `storage.keep`, and what stays nevertheless."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import chain
from typing import Literal, get_args

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.base import find_each
from driftwatch.artifacts.check_keys import CheckKeys
from driftwatch.artifacts.days import stored_retrainings
from driftwatch.artifacts.ingest import InputsIndex, ShardPlan
from driftwatch.artifacts.keys import DATASET_CARD, GATE
from driftwatch.artifacts.nested_keys import LedgerKeys, file_name
from driftwatch.artifacts.publishing import ProfileKind, UploadLedger
from driftwatch.artifacts.retraining import DatasetCard
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.retention.needed import days_still_needed
from driftwatch.retention.search import folders_of
from driftwatch.storage.base import StoredObject

# How the name of a block or of a shard's file begins.
_NUMBER = re.compile(r"\d+")
Kind = Literal["inputs", "shown", "answers", "profiles", "reports", "leftovers"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Removal:
    """An object that is over. `day`: whose it is; of a retraining the last day of its labels; of a write that was killed the day of the kill."""

    kind: Kind
    day: date
    key: str
    bytes: int


@dataclass(frozen=True)
class Still:
    """A day's files of one kind that are over by their date, and stay. `why`: the reason, in words."""

    kind: Kind
    day: date
    bytes: int
    why: str


@dataclass(frozen=True)
class KeepPlan:
    """What `storage.keep` says on `today`: `over`, by kind, day and key; `still`: what stays though it is over."""

    today: date
    over: tuple[Removal, ...]
    still: tuple[Still, ...]

    def of(self, kind: Kind) -> tuple[Removal, ...]:
        """What is over of one kind."""
        return tuple(removal for removal in self.over if removal.kind == kind)

    @property
    def bytes(self) -> int:
        """How much there is to remove."""
        return sum(removal.bytes for removal in self.over)


def keep_plan(store: MonitorStore, today: date) -> KeepPlan:
    """What is over on `today`, UTC. Changes nothing.

    A file of `day` is over once more than so many days have passed since. Raises DamagedArtifact where it cannot be known whether
    somebody still needs it.
    """
    keep = store.config.storage.keep
    limits: dict[Kind, date] = {
        kind: today - timedelta(days=days) for kind in KINDS if (days := getattr(keep, kind)) is not None
    }
    if not limits:
        return KeepPlan(today, (), ())
    over = [removal for removal in _candidates(store) if removal.day < limits.get(removal.kind, date.min)]
    stays = _Stays(store, today)
    keys: dict[tuple[Kind, date], list[str]] = defaultdict(list)
    for found in over:
        keys[found.kind, found.day].append(found.key)
    reasons = {(kind, day): stays.why(kind, day, keys[kind, day]) for kind, day in keys}
    still = [
        Still(kind, day, sum(found.bytes for found in over if (found.kind, found.day) == (kind, day)), why)
        for (kind, day), why in sorted(reasons.items())
        if why
    ]
    removed = sorted(
        (found for found in over if not reasons[found.kind, found.day]),
        key=lambda found: (KINDS.index(found.kind), found.day, found.key),
    )
    return KeepPlan(today, tuple(removed), tuple(still))


def _candidates(store: MonitorStore) -> Iterator[Removal]:
    """Every object that has a date, whether it is over or not."""
    days = {day.isoformat(): day for day in store.days()}
    for item in store.storage.list(store.keys.days):
        day = days.get(item.key.removeprefix(f"{store.keys.days}/").partition("/")[0])
        kind = _kind_of(store.day(day), item.key) if day else None
        if day and kind:
            yield Removal(kind, day, item.key, item.size)
    yield from _of_retrainings(store)
    for item in chain.from_iterable(map(store.storage.unfinished, folders_of(store))):
        written = store.storage.modified(item.key)
        if written is not None:  # else it is gone since
            yield Removal("leftovers", datetime.fromtimestamp(written, timezone.utc).date(), item.key, item.size)


def _kind_of(day: DayStore, key: str) -> Kind | None:
    """Which kind an object of the day's folder is of; None if it stays for ever."""
    keys, checked = day.keys, CheckKeys(day.config.name, day.date)
    # The index stays: it says that the day had inputs.
    if key.startswith(f"{keys.inputs}/"):
        return "inputs" if key != keys.inputs_index else None
    folders: dict[str, Kind] = {
        keys.shown: "shown",
        keys.shards: "leftovers",
        LedgerKeys(keys.published).payloads: "profiles",
    }
    files: dict[str, Kind] = {
        keys.report: "reports",
        **dict.fromkeys((keys.feature_profile, keys.performance_profile), "profiles"),
        **dict.fromkeys((keys.assignments, keys.annotators, checked.assignments, checked.annotators), "answers"),
    }
    return files.get(key) or next((kind for folder, kind in folders.items() if key.startswith(f"{folder}/")), None)


def _of_retrainings(store: MonitorStore) -> Iterator[Removal]:
    """Checkpoints of trainings whose gate is there, which nothing goes on from any more."""
    names = stored_retrainings(store.storage, store.keys)
    ended = [name for name in names if store.storage.exists(store.keys.retraining(name, GATE))]
    keys = {store.keys.retraining(name, DATASET_CARD): name for name in ended}
    for key, card in find_each(store.storage, list(keys), DatasetCard):
        of_run = store.keys.of_retraining(keys[key])
        found: Sequence[StoredObject] = [
            item for folder in (of_run.checkpoints, of_run.folds) for item in store.storage.list(folder)
        ]
        yield from (Removal("leftovers", card.last_day, item.key, item.size) for item in found)


class _Stays:
    """Why files of a day stay though their date is over; empty where they need not."""

    def __init__(self, store: MonitorStore, today: date) -> None:
        self._store, self._today = store, today
        self._needed: dict[date, str] | None = None
        self._of: dict[Kind, Callable[[DayStore, Sequence[str]], str]] = {
            "inputs": self._inputs,
            "shown": lambda day, _: self._shown(day),
            "answers": lambda day, _: "" if day.storage.exists(day.keys.performance) else "it is not judged",
            "profiles": lambda day, _: self._profiles(day),
            "leftovers": self._leftovers,
        }

    def why(self, kind: Kind, day: date, keys: Sequence[str]) -> str:
        """In words. `keys`: those of the files."""
        return self._of[kind](self._store.day(day), keys) if kind in self._of else ""

    def _inputs(self, day: DayStore, blocks: Sequence[str]) -> str:
        if self._needed is None:
            self._needed = days_still_needed(self._store, self._store.days())
        if day.has(ShardPlan):
            return "it is being taken in"
        if again := self._taken_in_again(day, blocks):
            return again
        if not day.storage.exists(day.keys.predictions):
            return "its model has not answered it"
        return self._needed.get(day.date, "")

    def _taken_in_again(self, day: DayStore, keys: Sequence[str]) -> str:
        """An old day that is run again has its earlier predictions, and the steps that need its files are still to come. The first block is written
        long before the index is, and the first list of a shard before the plan."""
        for key in (day.keys.inputs_index, *_of_the_first(keys)):
            written = day.storage.written(key)
            on = None if written is None else datetime.fromtimestamp(written, timezone.utc).date()
            if on is not None and abs((self._today - on).days) <= 1:
                return f"it was taken in on {on}, and may be run again just now"
        return ""

    def _shown(self, day: DayStore) -> str:
        plan = day.find(AnnotationPlan)
        # The pool of a supplement is open after the labels of the day's own sample were merged.
        open_until = [part.expires.date() for part in plan.parts if part.state != "closed"] if plan else []
        if open_until and max(open_until) >= self._today:
            return f"people may answer until {max(open_until)}"
        checked = CheckKeys(day.config.name, day.date)
        merged = day.storage.exists(checked.labels if day.config.labels.check_with else day.keys.labels)
        return "" if merged else "its labels are not merged"

    def _profiles(self, day: DayStore) -> str:
        ledger = day.find(UploadLedger)
        uploads = ledger.uploads if ledger else ()
        waiting = [upload for upload in uploads if upload.state not in ("done", "replaced")]
        if waiting:
            return f"{waiting[0].describe()} is not published"
        made: dict[ProfileKind, str] = {
            "features": day.keys.feature_profile,
            "performance": day.keys.performance_profile,
        }
        noted = {upload.kind for upload in uploads}
        missing = [kind for kind, key in made.items() if kind not in noted and day.storage.exists(key)]
        return f"{missing[0]} of {day.date} is not published" if missing and day.config.publish.sinks else ""

    def _leftovers(self, day: DayStore, keys: Sequence[str]) -> str:
        parts = [key for key in keys if key.startswith(f"{day.keys.shards}/")]
        if day.has(ShardPlan) or (parts and not day.has(InputsIndex)):
            return "the day is not whole: run it again, or delete its folder"
        if parts and (again := self._taken_in_again(day, parts)):
            return again
        # The answers of its shards are not joined yet.
        return "its model has not answered it" if parts and not day.storage.exists(day.keys.predictions) else ""


def _of_the_first(keys: Sequence[str]) -> Iterator[str]:
    """Those of the block or the shard with the smallest number, of this run and of earlier ones."""
    numbers = {key: _NUMBER.match(file_name(key)) for key in keys}
    least = min((found[0] for found in numbers.values() if found), default="")
    return (key for key, found in numbers.items() if found and found[0] == least)
