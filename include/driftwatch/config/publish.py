"""The section `publish` of the monitor file."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from driftwatch.config.parts import Fraction, OpenFraction, Section

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
    """WhyLabs' own monitors of the dataset. They compare a number with a threshold and do not ask how many images or labels it rests
    on. So a smaller day has more false alarms."""

    managed: bool = Field(
        True,
        description="true: tasks keep the monitors as they are described here; the API key must be allowed to configure monitors. false: only `make monitors` writes them.",
    )
    drift_threshold: OpenFraction = Field(
        0.5,
        description="A column has drifted if the Hellinger distance (0 to 1) between its histogram of the day and that of the champion's reference is larger than this. Clean days of 50, 100 and 500 photos reached 0.41, 0.29 and 0.16 in the worst of 16 columns; WhyLabs' own default is 0.7.",
    )
    drift_columns: tuple[str, ...] = Field(
        ("*",),
        min_length=1,
        description="The columns that the drift monitor looks at, like image.Brightness.mean; `*` means all.",
    )
    accuracy_floor: Fraction | None = Field(
        None, description="An accuracy of the day below this is an anomaly; null takes `performance.floor`."
    )
    trailing_days: int = Field(14, ge=4, le=90, description="How many days the trailing-window monitor looks back.")
    trailing_min_days: int = Field(
        7,
        ge=2,
        le=90,
        description="With fewer days in the window that have a measured accuracy, the monitor does not judge.",
    )
    trailing_factor: float = Field(
        3,
        gt=0,
        le=100,
        description="An accuracy is an anomaly if it lies this many standard deviations below the mean of the window.",
    )
    severity: int = Field(3, ge=1, le=4, description="The severity of the monitors' anomalies in WhyLabs.")
    actions: tuple[str, ...] = Field(
        (),
        description="Ids of the notification actions (Settings > Notifications in WhyLabs) that are told of an anomaly.",
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
        description="Where to: whylabs, local (the storage alone), or both. An installed package may bring others by the entry point `driftwatch.sinks`. They are given whylogs profiles, so whylogs must be installed (`driftwatch[whylogs]`, up to Python 3.12); with [] nothing is published, and it is not needed.",
    )
    connection: str = Field("whylabs_default", description="The Airflow connection of type whylabs.")
    dataset: str | None = Field(
        None, description="The id of the dataset (model) in WhyLabs; needed for the sink whylabs."
    )
    segments: tuple[str, ...] = Field(
        (),
        description="Segmentations whose profiles are published by segment too, beside those of all images: names of the section `segments`, and predicted_class for the performance. WhyLabs shows each value as a segment.",
    )
    most_segments: int = Field(
        200,
        ge=1,
        le=2000,
        description="A day with more segments than this, of all `publish.segments` together, is refused. whylogs warns above 200, and holds 2,000.",
    )
    monitors: WhyLabsMonitors = Field(default_factory=WhyLabsMonitors)
    alert_source: Literal["local", "whylabs", "either"] = Field(
        "local",
        description="Whose alert starts a retraining. local: the verdict by `performance`. whylabs: an anomaly of WhyLabs' two accuracy monitors. either: one of both is enough. The day is ok only if the verdict and, if WhyLabs is asked, WhyLabs say so. A backfilled day that may not start a retraining does not ask WhyLabs.",
    )
    analysis_hours: float = Field(
        36,
        gt=0,
        le=24 * 30,
        description="How many hours check_performance waits until WhyLabs has analysed the day, which it does once a day. Waiting takes no worker slot.",
    )
    analysis_poll_seconds: float = Field(
        300, gt=0, le=86_400, description="check_performance asks each time after this many seconds."
    )
    on_no_analysis: Literal["fail", "not_enough_evidence"] = Field(
        "fail",
        description="What to do if WhyLabs has not analysed the day by then. fail: the task fails. not_enough_evidence: the day counts as neither ok nor an alert.",
    )

    @model_validator(mode="before")
    @classmethod
    def _list_of_sinks(cls, value: Any) -> Any:
        return {"sinks": value} if isinstance(value, list | tuple) else value

    @field_validator("sinks", "segments")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("each may be named once: take the second one out")
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
