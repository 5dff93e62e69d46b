"""Accepting days as usual, and taking that back.

The days become a state (driftwatch.drift.states): the next days are usual if they are like it. Its images' features are copied, so that
the state outlives its days. What a model makes of them depends on the model: `prepare_states` asks the new one, for the inputs that
the days have kept.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from driftwatch.artifacts.drift import BASELINES
from driftwatch.artifacts.nested_keys import lock_of
from driftwatch.artifacts.reference import AcceptedState, BaselineDecision, StateOfModel
from driftwatch.drift.against_reference import kind_rate
from driftwatch.drift.answers import Answers, answers_of, content_reference, independent_images_in, usual_of
from driftwatch.drift.days_features import features_of_days
from driftwatch.drift.decoding import decoding_of
from driftwatch.drift.reference import CONTENT, IMAGE_QUALITY, MIN_REFERENCE, Reference
from driftwatch.drift.states import accepted_states
from driftwatch.errors import DriftwatchError, MissingArtifact, NeedsAttention
from driftwatch.models.registry import champion
from driftwatch.storage.lock import exclusive

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import MonitorStore

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


class NotAccepted(NeedsAttention):
    """The days cannot be made a state as they are."""


def accept(store: MonitorStore, days: Iterable[date], decision: BaselineDecision, name: str = "") -> AcceptedState:
    """Makes the days one state: later days that are like them are usual. Without a `name` it is named by its first and last day.

    To accept the same days again changes nothing but that the champion's answers are taken of days that had none; a state that was withdrawn
    counts again. Raises NotAccepted for a day that was not taken in, for too few images, and for a name that is taken or not allowed.
    """
    days = tuple(sorted(set(days)))
    name = name or _name_of(days)
    features, decoding = _features_of(store, days)
    with exclusive(store.storage, lock_of(store.keys.states)) as lock:
        known = store.find(store.keys.state(name), AcceptedState)
        _refuse_name(name, days, known)
        if known is not None and known.counts:
            return _prepared(store, known)
        reference = _reference_of(store, features, days)
        reference.decoding = decoding
        lock.check()
        reference.save(store, store.keys.state_place(name))
        history = (*(known.history if known else ()), decision)
        state = AcceptedState(name=name, days=days, images=len(reference.features), history=history)
        store.write(store.keys.state(name), state)
    logger.info("%s: %s is usual from now on (%s)", store.keys.monitor, name, decision.reason)
    return _prepared(store, state)


def withdraw(store: MonitorStore, name: str, decision: BaselineDecision) -> AcceptedState:
    """Takes an acceptance back: days that are judged from now on are not compared with the state. Its files stay.

    Raises NeedsAttention where there is no such state. To withdraw it again changes nothing.
    """
    with exclusive(store.storage, lock_of(store.keys.states)) as lock:
        state = store.find(store.keys.state(name), AcceptedState) if _NAME.fullmatch(name) else None
        if state is None:
            names = ", ".join(state.name for state in accepted_states(store) if state.counts) or "none"
            raise NeedsAttention(f"{name} is no accepted state; these are: {names}")
        if not state.counts:
            return state
        state = state.model_copy(update={"history": (*state.history, decision)})
        lock.check()
        store.write(store.keys.state(name), state)
    return state


def prepare_states(store: MonitorStore, version: str) -> list[StateOfModel]:
    """Makes the references of content and predictions of model `version` for every state that counts, where it has none yet, or one without
    a day that can be had by now."""
    return [_of_model(store, state, version) for state in accepted_states(store) if state.counts]


def _prepared(store: MonitorStore, state: AcceptedState) -> AcceptedState:
    """The state, with what the champion makes of it."""
    current = champion(store)
    if current is not None:
        _of_model(store, state, current.version)
    return state


def _name_of(days: Sequence[date]) -> str:
    if not days:
        raise NotAccepted("no day is named: name one, or a range such as 2026-01-08..2026-01-10")
    return days[0].isoformat() if len(days) == 1 else f"{days[0]}_{days[-1]}"


def _refuse_name(name: str, days: tuple[date, ...], known: AcceptedState | None) -> None:
    if not _NAME.fullmatch(name) or name in BASELINES:
        raise NotAccepted(
            f"{name!r} cannot be the name of a state: small letters, digits, - and _ are allowed, at most 60, and not {', '.join(BASELINES)}"
        )
    if known is not None and known.days != days:
        said = ", ".join(map(str, known.days))
        raise NotAccepted(f"the state {name} is made of other days already ({said}): give this one another name")


def _features_of(store: MonitorStore, days: Sequence[date]) -> tuple[pd.DataFrame, int | None]:
    """The features of the days' images, and how those of large images were made. Raises NotAccepted for a day without features, and
    for days that were made in two ways."""
    missing = [str(day) for day in days if not store.storage.exists(store.keys.day(day).features)]
    if missing:
        raise NotAccepted(
            f"{', '.join(missing)}: no images were taken in, so there is nothing to accept; run the day first, or name another"
        )
    features, ways = features_of_days(store, days)
    if len(ways) > 1:
        said = ", ".join(f"{day}: {decoding_of(store.day(day)) or 'either'}" for day in days)
        raise NotAccepted(
            f"the features of large images of these days were made in different ways (docs/decisions/0092; {said}): accept those of one way, "
            "or take the others in again (clear ingest_images)"
        )
    return features, next(iter(ways), None)


def _reference_of(store: MonitorStore, features: pd.DataFrame, days: Sequence[date]) -> Reference:
    if len(features) < MIN_REFERENCE:
        raise NotAccepted(
            f"{', '.join(map(str, days))}: {len(features)} images are too few for a state; {MIN_REFERENCE} are needed: accept more days "
            "that are alike"
        )
    settings = store.config.profiling
    try:
        return Reference.build(features, kind_rate(settings, IMAGE_QUALITY), settings.seed, settings.min_images)
    except DriftwatchError as error:  # near-duplicates count once
        raise NotAccepted(f"{', '.join(map(str, days))}: {error}") from error


def _of_model(store: MonitorStore, state: AcceptedState, version: str) -> StateOfModel:
    """Writes the state's references of content and predictions for model `version`: once, and again when a day that was left out can be had."""
    key = store.keys.state(state.name, version)
    known = store.find(key, StateOfModel)
    if known and not _answers(store, map(date.fromisoformat, known.left_out), version)[0]:
        return known
    found, left_out = _answers(store, state.days, version)
    if known and not set(left_out) < set(known.left_out):  # it has a day that is gone by now
        return known
    for day, why in left_out.items():
        logger.warning("%s: state %s is without the content of %s: %s", store.keys.monitor, state.name, day, why)
    place = store.keys.state_place(state.name, version)
    if (content := content_reference(store, found)) is not None:
        content.save(store, place, CONTENT)
    if (usual := usual_of(store, version, found)) is not None:
        store.write(store.keys.reference_predictions(place), usual)
    made = StateOfModel(images=independent_images_in(found), left_out=left_out)
    store.write(key, made)
    return made


def _answers(store: MonitorStore, days: Iterable[date], version: str) -> tuple[list[Answers], dict[str, str]]:
    """What `version` says of the days, and why it says nothing of the others."""
    found: list[Answers] = []
    left_out: dict[str, str] = {}
    for day in days:
        try:
            found.append(answers_of(store.day(day), version))
        except (NeedsAttention, MissingArtifact) as error:
            left_out[day.isoformat()] = str(error)
    return found, left_out
