"""The day's episodes: noted by each step that knows more of the day, and told where there is something new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from driftwatch_airflow.alerts import nothing_to_tell, outbox_of, send_alert

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
    from driftwatch.config.labels import TABLE
    from driftwatch.episodes.alerts import about_model
    from driftwatch.episodes.days import noted

    with noted(day) as episodes:
        alert = about_model(day, episodes) or otherwise
        # Labels of a table come bit by bit. A verdict that goes to and fro with them is no news each time.
        _put(context, day, ModelGotWorse.source, alert, links, forget=day.config.labels.backend != TABLE)


def _put(
    context: Context, day: DayStore, source: str, alert: Alert | None, links: Mapping[str, str], forget: bool = True
) -> None:
    if alert is None:
        nothing_to_tell(day.config, day.date.isoformat(), source, forget)
        return
    _not_told_twice(day, source, alert)
    send_alert(context, day.config, alert, links)


def _not_told_twice(day: DayStore, source: str, alert: Alert) -> None:
    """An episode that turns out to have begun on this day, after people were told of it on a later one: the opening is no news to them. The
    labels of the day came after those of the later one, or it was filled in."""
    from driftwatch.episodes.days import later_days_of
    from driftwatch.publish.outbox import alert_id

    episode = getattr(alert, "episode", None)
    if episode is None or episode.event != "opened":
        return
    name, outbox = alert_id(day.config.name, alert), outbox_of(day.config, day=day.date.isoformat())
    for other in later_days_of(day, episode):
        outbox.told_already(name, outbox_of(day.config, day=other.isoformat()), source)
