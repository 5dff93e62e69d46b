"""After a promotion: are the days that the model was retrained for usual from now on?

The new model has learnt from them. If the camera stays as it is, every later day would go on alarming. If it is repaired, the days of
before are usual again, and they are a state already. Whether the change is there to stay is for a person to say, or for
`reference.accept_after_promotion`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.keys import GATE
from driftwatch.artifacts.reference import AcceptedState, BaselineDecision
from driftwatch.artifacts.retraining import GateResult
from driftwatch.drift.accepted import NotAccepted, accept
from driftwatch.drift.reference import DRIFTED
from driftwatch.drift.states import accepted_states

if TYPE_CHECKING:
    from datetime import date, datetime

    from driftwatch.artifacts.store import DayStore, MonitorStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrainedDays:
    """`days`: those that had drifted and are in no state that counts. `state`: what they became; None where a person shall say."""

    days: tuple[date, ...]
    state: AcceptedState | None = None


def settle_retrained_days(store: MonitorStore, run_key: str, by: str, at: datetime) -> RetrainedDays:
    """Accepts the days that the retraining `run_key` was for, or names them, as `reference.accept_after_promotion` says. Days that cannot be
    accepted, as of too few images, are named: the promotion stands.

    `by` and `at`: the run, and when it was asked for. Only days that had drifted count: the others are usual already.
    """
    setting = store.config.reference.accept_after_promotion
    gate = store.read(store.keys.retraining(run_key, GATE), GateResult)
    drifted = tuple(day for day in gate.recent_days if _has_drifted(store.day(day)))
    states = accepted_states(store)
    for state in states:  # the task is repeated, or a person was faster
        if state.counts and (state.days == drifted or state.history[-1].by == by):
            return RetrainedDays(state.days, state)
    accepted = {day for state in states if state.counts for day in state.days}
    days = tuple(day for day in drifted if day not in accepted)
    if not days or setting == "never":
        return RetrainedDays(())
    withdrawn = any(state.days == days for state in states)
    if setting == "propose" or withdrawn:  # what a person has withdrawn is not accepted again unasked
        return RetrainedDays(days)
    reason = f"the model {gate.version} was retrained on these days and promoted"
    decision = BaselineDecision(what="accepted", by=by, at=at, reason=reason)
    try:
        return RetrainedDays(days, accept(store, days, decision))
    except NotAccepted as error:
        logger.warning("%s: the days of the retraining are not usual from now on: %s", store.keys.monitor, error)
        return RetrainedDays(days)


def _has_drifted(day: DayStore) -> bool:
    """Whether the day, or a segment of it, differed from every state in any way that alarms."""
    images, answers = day.find(DayDrift), day.find(ContentDrift)
    return (images is not None and images.verdict == DRIFTED) or (answers is not None and answers.drifted)
