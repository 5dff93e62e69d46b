"""Whether the day's verdict starts a retraining (decision.json): what check_performance, or check_correction after it, decided."""

from __future__ import annotations

from driftwatch.artifacts.base import DayArtifact
from driftwatch.artifacts.parts import AccuracyVerdict


class RetrainingDecision(DayArtifact):
    """decision.json. There is none of a dry run, nor of a day that an early Driftwatch judged."""

    file = "decision.json"

    verdict: AccuracyVerdict
    """The verdict that counted: the day's own, or that of WhyLabs (`publish.alert_source`)."""
    run_id: str | None = None
    """The run of the retraining DAG that it starts, for an alert or for a challenger that waits for the day's labels; absent where it starts
    none."""
    held: str | None = None
    """Why an alert starts none; absent otherwise."""
