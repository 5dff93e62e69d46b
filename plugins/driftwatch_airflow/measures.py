"""Tells Airflow's metrics (StatsD or OpenTelemetry) what a step did: how long it took, its memory, its repeats, and the numbers of what it wrote.

Metrics that cannot be sent are logged, and change nothing of a step.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.metrics.names import Sample

log = logging.getLogger(__name__)
# Plain StatsD has names alone, so what would be a label is a part of the name, and a point would begin the next part.
_NO_PART = re.compile(r"[^A-Za-z0-9_-]")


def tell_step(monitor: str, step: str, seconds: float, written: Callable[[], DayStore | None]) -> None:
    """Tells what a step did that ended just now. `written`: gives the day whose artifacts it wrote; None for a step of no day. It is asked only where
    metrics are on."""
    if not _is_on():
        return
    try:
        from driftwatch.outside import repeats

        for sample in _of_step(step, seconds, written()):
            _send("gauge", monitor, sample.name, sample.labels, sample.value)
        for service, count in sorted(repeats().items()):
            _send("incr", monitor, "service_repeats", (service,), count)
    except Exception:
        log.warning("The metrics of %s cannot be told", step, exc_info=True)


def _of_step(step: str, seconds: float, day: DayStore | None) -> Iterator[Sample]:
    from driftwatch.metrics.names import Sample

    yield Sample("step_seconds", seconds, (step,))
    yield Sample("step_peak_memory_bytes", _peak_memory(), (step,))
    if day is not None:
        yield from _written(step, day)


def _written(step: str, day: DayStore) -> Iterable[Sample]:
    """The numbers of the artifact that the step writes."""
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.drift import ContentDrift, DayDrift
    from driftwatch.artifacts.ingest import Ingest
    from driftwatch.metrics import of_artifacts

    if step in ("ingest_images", "merge_shards"):
        return of_artifacts.of_ingest(found) if (found := day.find(Ingest)) else ()
    if step == "profile_features":
        return of_artifacts.of_drift(drift) if (drift := day.find(DayDrift)) else ()
    if step == "predict_labels":
        return of_artifacts.of_content(content) if (content := day.find(ContentDrift)) else ()
    if step in ("evaluate_performance", "follow_labels"):
        return of_artifacts.of_performance(judged) if (judged := day.find(Performance)) else ()
    return ()


def _peak_memory() -> float:
    """The most memory that this process has had, in bytes; that of a fork begins with its parent's."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def _send(kind: str, monitor: str, name: str, labels: tuple[str, ...], value: float) -> None:
    from airflow.sdk.observability import stats

    from driftwatch.metrics.names import BY_NAME

    send: Any = getattr(stats, kind)
    if _takes_tags():
        send(
            f"driftwatch.{name}",
            value,
            tags={"monitor": monitor, **dict(zip(BY_NAME[name].labels, labels, strict=True))},
        )
    else:
        send(".".join(["driftwatch", name, *(_NO_PART.sub("_", part) for part in (monitor, *labels))]), value)


def _is_on() -> bool:
    from airflow.configuration import conf

    return any(conf.getboolean("metrics", setting, fallback=False) for setting in ("statsd_on", "otel_on"))


def _takes_tags() -> bool:
    from airflow.configuration import conf

    tagging = ("otel_on", "statsd_datadog_enabled", "statsd_influxdb_enabled")
    return any(conf.getboolean("metrics", setting, fallback=False) for setting in tagging)
