"""The list `notifiers` of the monitor file."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field

from driftwatch.config.parts import Section

AlertKind = Literal[
    "drift",
    "performance",
    "too_few_labels",
    "short_pool",
    "empty_day",
    "too_many_rejects",
    "day_failed",
    "retraining_failed",
    "training_set_handed_over",
    "model_promoted",
    "model_rolled_back",
    "mlflow_alias_moved",
    "late_day",
    "dag_paused",
    "file_refused",
    "champion_missing",
    "spend_near_limit",
    "pool_unanswered",
    "storage_not_writable",
    "reference_old",
]


class NotifierConfig(Section):
    """An Airflow notifier that gets the monitor's alerts."""

    notifier: str = Field(description="Its import path, like airflow.providers.smtp.notifications.smtp.SmtpNotifier.")
    # Any value: each notifier has arguments of its own.
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Its arguments. Jinja may use {{ alert.subject }}, {{ alert.message }}, {{ alert.kind }} and {{ alert.day }}; in HTML write {{ alert.message | e }}.",
    )
    on: tuple[AlertKind, ...] = Field(
        get_args(AlertKind),
        description="Which alerts it gets.",
    )
