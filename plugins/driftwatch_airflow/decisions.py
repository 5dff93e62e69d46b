"""What a step decided, in the log: a sentence for people; where Airflow's logs are JSON (`[logging] json_logs`), one event with named fields."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import JsonValue

# The logger of all events: whoever collects the logs finds them by it.
LOGGER = "driftwatch.decisions"
# Every event, and when there is one. docs/operate/logs.md is checked against this.
EVENTS: Mapping[str, str] = {
    "images_taken_in": "A day's images were taken in: how many of which kind, and why others were quarantined.",
    "drift_verdict": "One kind of drift was judged: `kind` is image_quality, content or predictions.",
    "sample_drawn": "A day's sample stands, and its pool; `cost` is what it is planned to cost.",
    "pool_ended": "A pool ended, and its answers are used; `spent` is what it has cost.",
    "pool_closed_at_limit": "A pool was closed, as it has cost its limit.",
    "labels_merged": "Answers or a table became the day's labels.",
    "performance_verdict": "The model was measured against the labels.",
    "whylabs_verdict": "WhyLabs was asked, and this is what it found.",
    "retraining_decision": "The day's verdict starts a retraining, or not, and why.",
    "alert": "There is something to tell people; it lies in the outbox.",
    "profile_published": "A profile lies at a sink.",
    "training_set_collected": "A retraining's training set was collected.",
    "gate_verdict": "The gate compared challenger and champion.",
    "gate_followed": "What follows of the gate and `retraining.promotion`.",
    "champion_promoted": "A challenger became the champion.",
    "champion_rolled_back": "An earlier version is the champion again.",
    "reference_changed": "Somebody accepted, withdrew, muted or unmuted.",
    "files_kept": "What is over by `storage.keep`, and whether it was removed.",
    "images_forgotten": "Images were forgotten; the event names none.",
}


def log_decision(
    log: Any, event: str, sentence: str, /, *, level: int = logging.INFO, monitor: str, **fields: JsonValue
) -> None:
    """Logs a decision, once. `log`: takes the sentence, where logs are plain. `fields`: what JSON has of it, beside the monitor and the
    sentence (`message`); no image's name, and nothing of a person."""
    if event not in EVENTS:
        raise ValueError(f"{event!r} is no event: add it to EVENTS and to docs/operate/logs.md")
    if not _as_json():
        log.log(level, "%s", sentence)
        return
    import structlog

    structlog.get_logger(LOGGER).log(level, event, monitor=monitor, **fields, message=sentence)


def _as_json() -> bool:
    from airflow.configuration import conf

    return bool(conf.getboolean("logging", "json_logs", fallback=False))
