"""Waits in the triggerer for WhyLabs to analyse a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

from driftwatch_airflow.alerts import safe_to_tell
from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_airflow.triggers.patience import Wait, pause, rest

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import WhyLabsAnalysis


class AnalysisWait(Wait):
    """A day whose `accuracy` was uploaded to the WhyLabs `dataset`. Two `analyzers` (tests at WhyLabs: floor and trend) are to judge it."""

    whylabs_conn_id: str
    dataset: str
    day: date
    analyzers: tuple[str, str]
    accuracy: float


class _Ended(TypedDict):
    state: Literal["analysed", "late", "refused"]
    reasons: list[str]


class AnalysisEvent(_Ended, total=False):
    """How the wait ended: "analysed", with the fields of WhyLabsAnalysis; "late" or "refused", with the reasons alone."""

    verdict: Literal["alert", "ok", "not_enough_evidence"]
    rows: list[dict[str, Any]]  # of the analysis, as WhyLabs gives them


class AnalysisTrigger(BaseTrigger):
    """Asks WhyLabs every `poll_seconds` until both analyzers have judged the accuracy of the day, or the deadline has passed.

    Fires an `AnalysisEvent`. After a failure that may pass, which is logged, it asks again. It keeps nothing, so it can be killed and
    started again.

    :param wait: what is waited for.
    :param stored: instead of `wait`, its fields as Airflow's database keeps them.
    """

    def __init__(self, wait: AnalysisWait | None = None, **stored: Any) -> None:
        super().__init__()
        self.wait = wait or AnalysisWait(**stored)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__qualname__}", self.wait.stored()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        from driftwatch.errors import NeedsAttention

        await rest()
        wait, failures = self.wait, 0
        while True:
            try:
                found = await asyncio.to_thread(self._look)
            except NeedsAttention as error:
                yield TriggerEvent({"state": "refused", "reasons": [str(error)]})
                return
            except Exception as error:  # a network, a proxy or a secrets backend may raise anything
                reasons, failures = [safe_to_tell(f"{type(error).__name__}: {error}")], failures + 1
            else:
                failures = 0
                if found.verdict != "not_analysed":
                    yield TriggerEvent({"state": "analysed", **found.model_dump(mode="json")})
                    return
                reasons = list(found.reasons)
            if timezone.utcnow() >= wait.deadline:
                yield TriggerEvent({"state": "late", "reasons": reasons})
                return
            seconds = pause(wait.poll_seconds, failures)
            self.log.info("WhyLabs: %s; asking again in %s s", "; ".join(reasons), seconds)
            await asyncio.sleep(seconds)

    def _look(self) -> WhyLabsAnalysis:
        from driftwatch.publish.whylabs.analysis import read_analysis
        from driftwatch.view.analysis import reasons

        wait = self.wait
        api = WhyLabsHook(wait.whylabs_conn_id, wait.dataset).get_conn()
        return read_analysis(api, wait.day, wait.analyzers, wait.accuracy, in_words=reasons)
