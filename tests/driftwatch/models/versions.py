"""Monitors whose days several model versions answer."""

from __future__ import annotations

from driftwatch.config import MonitorConfig
from driftwatch.config.model import LOGGED


def serving(config: MonitorConfig, version: str | None) -> MonitorConfig:
    """The monitor with `model.serving_version`."""
    return _with_model(config, serving_version=version)


def logged(config: MonitorConfig) -> MonitorConfig:
    """The monitor with `model.predictions: logged`."""
    return _with_model(config, predictions=LOGGED)


def _with_model(config: MonitorConfig, **changes: object) -> MonitorConfig:
    return config.model_copy(update={"model": config.model.model_copy(update=changes)})
