"""The monitor file: one YAML file for each watched classifier, read into frozen, validated models.

Every field is documented where it is declared, in one file for each section; `docs/configuration.md` is generated from them. A bad
file is refused with its name, the field, and what is allowed.
"""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field, field_validator, model_validator

from driftwatch.config.episodes import EpisodesConfig
from driftwatch.config.execution import ExecutionConfig
from driftwatch.config.images import ImagesConfig
from driftwatch.config.labels import NONE, TABLE, TOLOKA, LabelsConfig
from driftwatch.config.model import ModelConfig
from driftwatch.config.notifiers import NotifierConfig
from driftwatch.config.parts import Section, class_names, folded, refuse_alike
from driftwatch.config.performance import PerformanceConfig
from driftwatch.config.profiling import ProfilingConfig
from driftwatch.config.publish import PublishConfig
from driftwatch.config.reference import ReferenceConfig
from driftwatch.config.registry import RegistryConfig
from driftwatch.config.retraining import RetrainingConfig
from driftwatch.config.schedule import ScheduleConfig
from driftwatch.config.segments import PREDICTED_CLASS, SegmentsConfig, refuse_unlogged
from driftwatch.config.storage import StorageConfig
from driftwatch.config.watch import WatchConfig

# For the steps of a day themselves. Each may be tried again for a bit more than an hour.
HOURS_OF_STEPS = 6.0


class MonitorConfig(Section):
    """One watched classifier."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{1,60}$",
        description="Small letters a to z, digits and _, 2 to 61 of them, a letter first. DAG ids and storage folders begin with it.",
    )
    description: str = Field("", description="One sentence that the UI shows.")
    owner: str = Field("ml-platform", min_length=1, max_length=200, description="The owner that the UI shows.")
    owner_link: str | None = Field(
        None,
        pattern=r"^(https?://|mailto:)\S+$",
        max_length=500,
        description="Where the owner's name leads to in the UI: the team's page or chat (https://...), or its mail address (mailto:...).",
    )
    classes: tuple[str, ...] = Field(min_length=2, description="The classifier's classes, in the order of its outputs.")
    schedule: ScheduleConfig
    storage: StorageConfig
    images: ImagesConfig = Field(default_factory=ImagesConfig)
    segments: SegmentsConfig = Field(
        default_factory=dict,
        description="Ways to divide the images, by name, such as `camera` (docs/segments.md).",
    )
    profiling: ProfilingConfig = Field(default_factory=ProfilingConfig)
    reference: ReferenceConfig = Field(default_factory=ReferenceConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    registry: RegistryConfig = Field(default_factory=RegistryConfig)
    labels: LabelsConfig = Field(
        default_factory=lambda: LabelsConfig(backend=NONE), validation_alias=AliasChoices("labels", "annotation")
    )
    performance: PerformanceConfig = Field(default_factory=PerformanceConfig)
    episodes: EpisodesConfig = Field(default_factory=EpisodesConfig)
    watch: WatchConfig = Field(default_factory=WatchConfig)
    publish: PublishConfig = Field(default_factory=PublishConfig)
    retraining: RetrainingConfig = Field(default_factory=RetrainingConfig)
    notifiers: tuple[NotifierConfig, ...] = ()
    execution: ExecutionConfig = Field(default_factory=ExecutionConfig)

    @model_validator(mode="before")
    @classmethod
    def _old_name_of_the_labels(cls, value: Any) -> Any:
        """`annotation` was the section before labels could come from elsewhere than Toloka."""
        if not isinstance(value, dict) or "annotation" not in value:
            return value
        if "labels" in value:
            raise ValueError("annotation is the old name of labels: keep labels alone")
        old = value["annotation"]
        return {**value, "annotation": {"backend": TOLOKA, **old} if isinstance(old, dict) else old}

    @field_validator("classes", mode="before")
    @classmethod
    def _usable(cls, value: Any) -> Any:
        return class_names(value)

    @field_validator("classes")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        refuse_alike(value)
        return value

    @model_validator(mode="after")
    def _images_lie_apart(self) -> MonitorConfig:
        layout = self.images.layout
        if layout is not None:
            layout.refuse_artifacts(self.storage.uri, self.name)
            if layout.inventory is not None and self.labels.blur is not None:
                raise ValueError(
                    "labels.blur finds an image's boxes by its day, which images.layout.inventory does not tell of a file: use paths with {day}"
                )
            if layout.inventory and layout.inventory.days_later:
                hours = 24 * (layout.inventory.days_later - 1)
                starts = self.schedule.delivery_hours + self.images.wait_hours
                if starts <= hours:
                    raise ValueError(
                        f"images.layout.inventory.days_later {layout.inventory.days_later}: the file's day begins {hours} hours after the day of the "
                        f"images has ended, and the run waits for it until {starts:g} hours after that: raise schedule.delivery_hours or "
                        "images.wait_hours, so that the file is written by then"
                    )
        return self

    @model_validator(mode="after")
    def _unclear_is_no_class(self) -> MonitorConfig:
        unclear = self.labels.unclear_answer
        if unclear is not None and folded(unclear) in map(folded, self.classes):
            raise ValueError(f"labels.unclear_answer {unclear!r} is also one of classes: give it another text")
        return self

    @model_validator(mode="after")
    def _positive_is_a_class(self) -> MonitorConfig:
        positive, output = self.model.positive_class, self.model.output
        if positive is not None and positive not in self.classes:
            raise ValueError(f"model.positive_class {positive!r} is none of classes {list(self.classes)}")
        if output in ("sigmoid", "logit") and len(self.classes) != 2:
            raise ValueError(f"model.output {output} is one number for two classes, and there are {len(self.classes)}")
        return self

    @model_validator(mode="after")
    def _logged_classes_are_classes(self) -> MonitorConfig:
        if self.model.logged is None:
            return self
        scores = self.model.logged.columns.scores
        named = [("model.logged.classes", [*self.model.logged.classes.values()], False)]
        if isinstance(scores, dict):
            named.append(("model.logged.columns.scores", [*scores], True))
        for place, names, whole in named:
            strangers = [name for name in names if name not in self.classes]
            missing = [name for name in self.classes if name not in names] if whole else []
            if strangers or missing:
                raise ValueError(
                    f"{place} must name classes {list(self.classes)}: wrong {strangers}, missing {missing}"
                )
        return self

    @model_validator(mode="after")
    def _published_segments_are_known(self) -> MonitorConfig:
        known = [*self.segments, PREDICTED_CLASS]
        strangers = [name for name in self.publish.segments if name not in known]
        if strangers:
            raise ValueError(f"publish.segments {strangers} must be segmentations of the section segments: {known}")
        return self

    @model_validator(mode="after")
    def _retrained_segments_are_known(self) -> MonitorConfig:
        strangers = [name for name in self.retraining.segments.named if name not in self.segments]
        if strangers:
            raise ValueError(
                f"retraining.segments {strangers} must be segmentations of the section segments: {list(self.segments)}"
            )
        return self

    @model_validator(mode="after")
    def _logged_segments_are_read(self) -> MonitorConfig:
        refuse_unlogged(self.segments, self.model.logged.columns if self.model.logged else None)
        return self

    @model_validator(mode="after")
    def _table_labels_are_classes(self) -> MonitorConfig:
        values = self.labels.table.values.values() if self.labels.table else ()
        strangers = [name for name in values if name is not None and name not in self.classes]
        if strangers:
            raise ValueError(f"labels.table.values must name classes {list(self.classes)} or null: wrong {strangers}")
        return self

    @model_validator(mode="after")
    def _judged_only_with_labels(self) -> MonitorConfig:
        if self.labels.labelled:
            return self
        given: list[str] = [name for name in ("performance", "retraining") if name in self.model_fields_set]
        if self.publish.alert_source != "local":
            given.append("publish.alert_source")
        if given:
            raise ValueError(
                f"{', '.join(given)}: without labels nobody can tell how accurate the model is, so there is nothing to judge and no retraining. "
                "Remove this, or say in the section labels where labels come from"
            )
        return self

    @model_validator(mode="after")
    def _run_outlasts_its_wait(self) -> MonitorConfig:
        self.refuse_short_run(self.execution)
        return self

    def refuse_short_run(self, execution: ExecutionConfig) -> None:
        """Raises ValueError where a day's run would be failed while its labels are waited for, or a file."""
        people = {"labels.expire_hours": self.labels.expire_hours if self.labels.people else 0}
        tables = {"images.wait_hours": self.images.wait_hours}
        waits: list[dict[str, float]] = [
            tables | people,  # one after the other
            {"labels.wait_days": self.labels.wait_days * 24 if self.labels.table else 0},
            {"model.logged.wait_hours": self.logged_wait_hours},
        ]
        for waited in waits:
            hours = sum(waited.values())
            if execution.day_timeout_hours and execution.day_timeout_hours <= hours:
                settings = " and ".join(setting for setting, each in waited.items() if each)
                raise ValueError(
                    f"execution.day_timeout_hours {execution.day_timeout_hours:g} would fail a day that waits, for up to {hours:g} "
                    f"hours ({settings}): raise it above that, or leave it out"
                )

    @property
    def logged_wait_hours(self) -> float:
        """How many hours after the delivery production's log of a day may still be missing; 0 where the model answers itself."""
        return self.model.logged.wait_hours if self.model.logged else 0.0

    @property
    def longest_hours(self) -> float:
        """How many hours after its end a day may be at work at most: until its images are delivered, what it waits for is there, its labels
        are in, and its steps have run, with retries."""
        people = self.labels.expire_hours if self.labels.people else 0.0
        table = 24.0 * self.labels.wait_days if self.labels.backend == TABLE else 0.0
        files = max(self.images.wait_hours, self.logged_wait_hours)
        return self.schedule.delivery_hours + files + max(people, table) + HOURS_OF_STEPS

    @property
    def deadline_hours(self) -> float:
        """How many hours after a day's end its verdict is due."""
        return self.longest_hours if self.schedule.deadline_hours is None else self.schedule.deadline_hours

    @property
    def monitoring_dag_id(self) -> str:
        return f"{self.name}_monitoring"

    @property
    def retraining_dag_id(self) -> str:
        return f"{self.name}_retraining"

    @property
    def reference_dag_id(self) -> str:
        return f"{self.name}_reference"

    @property
    def forget_dag_id(self) -> str:
        return f"{self.name}_forget"
