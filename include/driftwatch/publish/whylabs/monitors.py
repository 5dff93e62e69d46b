"""WhyLabs' own monitors of a dataset, as the monitor file describes them.

Three analyzers, each with a monitor that tells of its anomalies: the drift of the day's features from the champion's reference
profile (Hellinger distance by column), the accuracy below a fixed threshold, and the accuracy below what the days before it
make likely. Their schema: https://github.com/whylabs/whylabs-toolkit, whylabs_toolkit/monitor/models.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from driftwatch.artifacts.store import MonitorStore
from driftwatch.publish.references import publish_reference
from driftwatch.publish.whylabs.errors import WhyLabsAccessRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftwatch.config import MonitorConfig
    from driftwatch.publish.whylabs.api import Document, WhyLabsApi
    from driftwatch.publish.whylabs.sink import WhyLabsSink

log = logging.getLogger(__name__)
DRIFT, FLOOR, TREND = "image-drift", "accuracy-floor", "accuracy-trend"
_ACCURACY = "classification.accuracy"
_KINDS: tuple[Literal["analyzer", "monitor"], ...] = ("analyzer", "monitor")


def analyzer_id(config: MonitorConfig, what: str) -> str:
    """`what`: DRIFT, FLOOR or TREND."""
    return f"{config.name}-{what}-analyzer"


def documents(config: MonitorConfig, reference_id: str) -> dict[str, list[Document]]:
    """The `analyzers` and `monitors`; the same file gives the same documents, under the same ids.

    `reference_id`: the upload id of the champion's reference profile.
    """
    settings = config.publish.monitors
    floor = config.performance.floor if settings.accuracy_floor is None else settings.accuracy_floor
    columns: Document = {"type": "column", "include": list(settings.drift_columns), "exclude": [], "segments": []}
    dataset: Document = {"type": "dataset", "segments": []}
    drift: Document = {
        "type": "drift",
        "algorithm": "hellinger",
        "metric": "histogram",
        "threshold": settings.drift_threshold,
        "minBatchSize": 1,
        "baseline": {"type": "Reference", "profileId": reference_id},
    }
    trend: Document = {
        "type": "stddev",
        "metric": _ACCURACY,
        "factor": settings.trailing_factor,
        "thresholdType": "lower",  # a better day is no alarm
        "minBatchSize": settings.trailing_min_days,
        "baseline": {"type": "TrailingWindow", "size": settings.trailing_days},
    }
    return {
        "analyzers": [
            _analyzer(config, DRIFT, columns, drift),
            _analyzer(config, FLOOR, dataset, {"type": "fixed", "metric": _ACCURACY, "lower": floor}),
            _analyzer(config, TREND, dataset, trend),
        ],
        "monitors": [_monitor(config, what) for what in (DRIFT, FLOOR, TREND)],
    }


def _analyzer(config: MonitorConfig, what: str, target: Document, algorithm: Document) -> Document:
    return {
        "id": analyzer_id(config, what),
        # Without a schedule an analyzer is off. Labels come days later, and backfilled days later still; 30 days is the most.
        "schedule": {"type": "fixed", "cadence": "daily"},
        "backfillGracePeriodDuration": "P30D",
        "targetMatrix": target,
        "config": algorithm,
    }


def _monitor(config: MonitorConfig, what: str) -> Document:
    settings = config.publish.monitors
    return {
        "id": f"{config.name}-{what}-monitor",
        "analyzerIds": [analyzer_id(config, what)],
        "schedule": {"type": "immediate"},
        "severity": settings.severity,
        "mode": {"type": "DIGEST"},
        "actions": [{"type": "global", "target": target} for target in settings.actions],
    }


def put_documents(api: WhyLabsApi, wanted: dict[str, list[Document]]) -> dict[str, bool]:
    """Writes each document that is not there as wanted, the analyzers first; for each id, whether it was written.

    Others in the dataset's configuration are left alone. May be repeated.
    """
    there = api.monitor_config()
    written = {}
    for kind in _KINDS:
        have = {document["id"]: document for document in there.get(f"{kind}s") or []}
        for document in wanted[f"{kind}s"]:
            name = str(document["id"])
            written[name] = not _within(document, have.get(name))
            if written[name]:
                api.put_monitor_config(kind, document)
    return written


def _within(wanted: JsonValue, there: JsonValue) -> bool:
    """Whether what is there says all that is wanted; WhyLabs adds metadata and defaults of its own."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_within(value, there.get(name)) for name, value in wanted.items())
    return bool(wanted == there)


def keep_monitors(store: MonitorStore, sink: WhyLabsSink, version: str) -> Mapping[str, bool]:
    """Brings WhyLabs' monitors to what the file says, with the reference of model `version`, the champion, as baseline.

    For each id, whether it was written. Raises WhyLabsAccessRefused where the API key may not do this.
    """
    reference = publish_reference(store, sink, version)
    try:
        written = put_documents(sink.api, documents(store.config, reference.upload_id))
    except WhyLabsAccessRefused as error:
        raise WhyLabsAccessRefused(
            f"{error}; with a key that may only upload, set publish.monitors.managed to false in the monitor file",
            error.status,
            error.request_id,
        ) from error
    changed = [name for name, new in written.items() if new]
    log.info(
        "WhyLabs' monitors compare with %s, the reference of %s; %s",
        reference.upload_id,
        version,
        f"written: {', '.join(changed)}" if changed else "all are as the monitor file describes them",
    )
    return written
