"""What annotators can choose from."""

from __future__ import annotations

from collections.abc import Sequence

from driftwatch.config import MonitorConfig


def choices(classes: Sequence[str], unclear_answer: str | None) -> list[str]:
    """The classes in their order, then the unclear answer where there is one."""
    return [*classes, *([] if unclear_answer is None else [unclear_answer])]


def choices_of(config: MonitorConfig) -> list[str]:
    """The choices of a monitor's annotators."""
    return choices(config.classes, config.labels.unclear_answer)
