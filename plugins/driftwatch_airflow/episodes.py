"""The day's episodes: noted by each step that knows more of the day, and told where there is something new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from driftwatch_airflow.alerts import nothing_to_tell, send_alert

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.alerts import Alert
    from driftwatch.artifacts.store import DayStore

# Where an early Driftwatch put what it told of the answers.
_OLD_SOURCE = "drift_of_answers"


def tell_images(context: Context, day: DayStore, links: Mapping[str, str]) -> None:
    """Notes the day's episodes, and puts what is new of the images into the outbox. Two steps of the day call this, and the later one knows
    all."""
    from driftwatch.artifacts.alerts import ImagesDrifted
    from driftwatch.episodes.alerts import about_images
    from driftwatch.episodes.days import noted

    with noted(day) as episodes:
        _put(context, day, ImagesDrifted.source, about_images(day, episodes), links)
        nothing_to_tell(day.config, day.date.isoformat(), _OLD_SOURCE)


def tell_model(context: Context, day: DayStore, otherwise: Alert | None, links: Mapping[str, str]) -> None:
    """The same of the model. `otherwise`: what there is to tell where no episode has anything new."""
    from driftwatch.artifacts.alerts import ModelGotWorse
    from driftwatch.episodes.alerts import about_model
    from driftwatch.episodes.days import noted

    with noted(day) as episodes:
        _put(context, day, ModelGotWorse.source, about_model(day, episodes) or otherwise, links)


def _put(context: Context, day: DayStore, source: str, alert: Alert | None, links: Mapping[str, str]) -> None:
    if alert is None:
        nothing_to_tell(day.config, day.date.isoformat(), source)
    else:
        send_alert(context, day.config, alert, links)
