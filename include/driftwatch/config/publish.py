"""The section `publish` of the monitor file."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from driftwatch.config.parts import OpenShare, Section, Share

BUILT_IN_SINKS = ("whylabs", "local")
SINKS_ENTRY_POINTS = "driftwatch.sinks"


def _known_sink(name: str) -> str:
    if name in BUILT_IN_SINKS:  # the entry points of a hundred packages take a while to read
        return name
    brought = sorted(entry_points(group=SINKS_ENTRY_POINTS).names)
    if name not in brought:
        allowed = [repr(sink) for sink in (*BUILT_IN_SINKS, *brought)]
        raise ValueError(f"should be {', '.join(allowed[:-1])} or {allowed[-1]}; an installed package may bring others")
    return name


SinkName = Annotated[str, AfterValidator(_known_sink)]


class WhyLabsMonitors(Section):
    """WhyLabs' own monitors of the dataset. They compare a plain number with a threshold, however few images or labels are
    behind it: their false-alarm rate depends on the size of the day."""

    managed: bool = Field(
        True,
        description="Whether tasks keep them as described here; the API key must be allowed to configure monitors. Off: only `make monitors` writes them.",
    )
    drift_threshold: OpenShare = Field(
        0.5,
        description="Hellinger distance, 0 to 1, between a column's histogram of the day and of the champion's reference, above which the column has drifted. Clean days of 50, 100 and 500 photos reached 0.41, 0.29 and 0.16 in the worst of 16 columns; WhyLabs' own default is 0.7.",
    )
    drift_columns: tuple[str, ...] = Field(
        ("*",), min_length=1, description="Columns of the drift monitor, like image.Brightness.mean; `*` for all."
    )
    accuracy_floor: Share | None = Field(
        None, description="The day's accuracy below this is an anomaly; null takes performance.floor."
    )
    trailing_days: int = Field(14, ge=4, le=90, description="Days that the trailing-window monitor looks back.")
    trailing_min_days: int = Field(
        7, ge=2, le=90, description="Fewer days with a measured accuracy in the window give no judgement."
    )
    trailing_factor: float = Field(
        3, gt=0, le=100, description="Standard deviations below the window's mean accuracy that are an anomaly."
    )
    severity: int = Field(3, ge=1, le=4, description="Severity of what the monitors tell.")
    actions: tuple[str, ...] = Field(
        (), description="Ids of WhyLabs' notification actions (Settings > Notifications) that are told of an anomaly."
    )

    @model_validator(mode="after")
    def _window_holds_enough(self) -> WhyLabsMonitors:
        if self.trailing_min_days > self.trailing_days:
            raise ValueError("trailing_min_days must not be more than trailing_days: the window would never be enough")
        return self


class PublishConfig(Section):
    """Where profiles and performance go. `publish: [local]` is short for a section with these `sinks` alone."""

    sinks: tuple[SinkName, ...] = Field(
        ("local",),
        min_length=1,
        description="whylabs, local (storage only), or both; others by the entry point `driftwatch.sinks` of an installed package.",
    )
    connection: str = Field("whylabs_default", description="Airflow connection of type whylabs.")
    dataset: str | None = Field(None, description="WhyLabs dataset (model) id; needed for whylabs.")
    monitors: WhyLabsMonitors = Field(default_factory=WhyLabsMonitors)
    alert_source: Literal["local", "whylabs", "either"] = Field(
        "local",
        description="Whose alert starts a retraining: the verdict of `performance`, an anomaly of WhyLabs' two accuracy monitors, or either. The day is ok only where the verdict and, if it is asked, WhyLabs say so. Backfilled days that may not retrain do not ask it.",
    )
    analysis_hours: float = Field(
        36,
        gt=0,
        le=24 * 30,
        description="How long check_performance waits, without a worker slot, for WhyLabs to analyse the day, which it does once a day.",
    )
    analysis_poll_seconds: float = Field(300, gt=0, le=86_400, description="How often it asks meanwhile.")
    on_no_analysis: Literal["fail", "not_enough_evidence"] = Field(
        "fail",
        description="What a day does that WhyLabs has not analysed by then: fail the task, or count as neither ok nor an alert.",
    )

    @model_validator(mode="before")
    @classmethod
    def _list_of_sinks(cls, value: Any) -> Any:
        return {"sinks": value} if isinstance(value, list | tuple) else value

    @field_validator("sinks")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("each sink may be named once")
        return value

    @model_validator(mode="after")
    def _dataset_named(self) -> PublishConfig:
        if self.alert_source != "local" and "whylabs" not in self.sinks:
            raise ValueError(
                f"alert_source {self.alert_source} needs whylabs among the sinks: it judges what is sent there"
            )
        if "whylabs" in self.sinks and not self.dataset:
            raise ValueError("dataset is needed where sinks has whylabs: the model id shown in WhyLabs, like 'model-1'")
        return self
