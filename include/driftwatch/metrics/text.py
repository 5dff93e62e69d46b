"""Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from driftwatch.metrics.names import BY_NAME, METRICS, PREFIX, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(found: Mapping[str, Sequence[Sample]], unreadable: Mapping[str, bool]) -> str:
    """The samples of each monitor, by its name. `unreadable`: whether a monitor's artifacts could not be read; it has no samples then."""
    return "\n".join([*_up(unreadable), *_metrics(found), ""])


def _up(unreadable: Mapping[str, bool]) -> Iterator[str]:
    name = f"{PREFIX}monitor_readable"
    yield f"# HELP {name} 1 where the monitor's artifacts can be read, else 0."
    yield f"# TYPE {name} gauge"
    for monitor, is_lost in sorted(unreadable.items()):
        yield f"{name}{_labels(('monitor',), (monitor,))} {int(not is_lost)}"


def _metrics(found: Mapping[str, Sequence[Sample]]) -> Iterator[str]:
    for metric in METRICS:
        lines = [
            f"{PREFIX}{metric.name}{_labels(('monitor', *metric.labels), (monitor, *sample.labels))} {_number(sample.value)}"
            for monitor, samples in sorted(found.items())
            for sample in samples
            if sample.name == metric.name
        ]
        if lines:
            yield f"# HELP {PREFIX}{metric.name} {BY_NAME[metric.name].help}"
            yield f"# TYPE {PREFIX}{metric.name} gauge"
            yield from lines


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
