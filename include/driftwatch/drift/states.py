"""What counts as usual: a set of accepted states. A day is usual if it is like any of them.

One state is the training data. Others are days that somebody accepted (driftwatch.drift.accepted). A mixture of all would be like none
of them: every day would differ from it. So the day is tested against each state by itself, and it has drifted only where every state
rejects it. A day that is like one state is rejected by that one with the stated false-alarm rate at most, and so by all of them: the
rate holds for any number of states (the intersection-union test: Berger, Technometrics 24, 1982).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from driftwatch.artifacts.base import find_each
from driftwatch.artifacts.drift import TRAINING, ComparedState
from driftwatch.artifacts.reference import AcceptedState, UsualPredictions
from driftwatch.drift.against_reference import load_reference, report_of
from driftwatch.drift.decoding import comparable
from driftwatch.drift.reference import DRIFTED, IMAGE_QUALITY, OK, DriftReport, Reference, ReferenceKind
from driftwatch.drift.silence import silenced
from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from driftwatch.artifacts.parts import DriftVerdict
    from driftwatch.artifacts.store import DayStore, MonitorStore


logger = logging.getLogger(__name__)


def accepted_states(store: MonitorStore) -> list[AcceptedState]:
    """Every state that was ever accepted, also those that were withdrawn, by their days."""
    keys = [store.keys.state(name) for name in store.storage.folders(store.keys.states)]
    found = [state for _, state in find_each(store.storage, keys, AcceptedState)]
    return sorted(found, key=lambda state: (state.days[-1], state.name))


def usual_states(store: MonitorStore, day: date) -> list[AcceptedState]:
    """The accepted states that `day` may be like."""
    return [state for state in accepted_states(store) if state.is_usual_on(day)]


def places_of_states(day: DayStore, version: str, kind: ReferenceKind) -> dict[str, str]:
    """Where the states that the day may be like have their reference of this `kind`, by name.

    Content depends on the model: a state whose days the version has not answered has none.
    """
    store = day.monitor
    names = [state.name for state in usual_states(store, day.date)]
    if kind == IMAGE_QUALITY:
        return {name: store.keys.state_place(name) for name in names}
    places = {name: store.keys.state_place(name, version) for name in names}
    return {name: place for name, place in places.items() if store.storage.exists(store.keys.reference(place, kind))}


def usual_of_states(day: DayStore, version: str) -> dict[str, UsualPredictions]:
    """How often `version` answers each class on the days of the states that the day may be like, by name."""
    store = day.monitor
    keys = {
        store.keys.reference_predictions(store.keys.state_place(state.name, version)): state.name
        for state in usual_states(store, day.date)
    }
    return {keys[key]: usual for key, usual in find_each(store.storage, list(keys), UsualPredictions)}


class Outcome(NamedTuple):
    """How a day compares with one state. `effect`: how large the difference is, 0 to 1."""

    verdict: DriftVerdict
    p_value: float | None
    effect: float


@dataclass(frozen=True)
class Compared:
    """The day's features, or the components of its embeddings, against one state."""

    name: str
    reference: Reference
    report: DriftReport

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.report.verdict, self.report.p_value, float(self.report.features["effect"].mean()))


def compare(
    store: MonitorStore,
    states: Mapping[str, str | Reference],
    kind: ReferenceKind,
    batch: pd.DataFrame,
    muted: Collection[str],
    decoding: int | None = None,
) -> list[Compared]:
    """`batch` against each state. `states`: for each name a reference, or where it lies; see `MonitorKeys.state_place`.

    `decoding`: how the batch's features of large images were made (`driftwatch.drift.decoding`). An accepted state whose features were
    made in another way is left out. Raises NeedsAttention where it is the training data, or no state is left.
    """

    def each() -> Iterator[Compared]:
        for name, found in states.items():
            reference = load_reference(store, found, kind) if isinstance(found, str) else found
            if not comparable(reference.decoding, decoding):
                refuse_or_warn(store, name, reference.decoding, decoding)
                continue
            report = (
                report_of(store, found, kind, reference, batch) if isinstance(found, str) else reference.test(batch)
            )
            yield Compared(name, reference, silenced(report, store.config.profiling.min_effect, muted))

    compared = list(each())
    if not compared:
        raise NeedsAttention(
            f"{store.keys.monitor}: none of {list(states)} can be compared with the day, whose features of large images were made in another "
            "way (docs/decisions/0092): take the day in again (clear ingest_images)"
        )
    return compared


def refuse_or_warn(store: MonitorStore, name: str, theirs: int | None, ours: int | None) -> None:
    said = (
        f"{store.keys.monitor}: the features of large images of the state {name} were made in another way ({theirs}) than the day's "
        f"({ours}; docs/decisions/0092)"
    )
    if name == TRAINING:
        raise NeedsAttention(f"{said}, so they are not compared: take the day in again (clear ingest_images)")
    logger.warning("%s: it is left out; accept days that were taken in like the day, in its place", said)


def nearest(outcomes: Sequence[Outcome]) -> int:
    """The place of the state that the day is like, or else of the one that it differs from least: by the p-value; where that is at its
    end, by the size of the difference."""
    return min(
        range(len(outcomes)),
        key=lambda place: (
            outcomes[place].verdict == DRIFTED,
            -(outcomes[place].p_value or 0.0),
            outcomes[place].effect,
        ),
    )


def told(names: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The fields of a `DriftTest` that say which state the day is like."""
    best = nearest(outcomes)
    like = names[best] if outcomes[best].verdict == OK else None
    if list(names) == [TRAINING]:
        return {"state": like}
    rows = (
        ComparedState(name=name, verdict=outcome.verdict, p_value=outcome.p_value)
        for name, outcome in zip(names, outcomes, strict=True)
    )
    return {"state": like, "nearest": names[best], "states": tuple(rows)}
