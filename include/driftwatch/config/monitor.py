"""The monitor file: one YAML file for each watched classifier, read into frozen, validated models.

Every field is documented where it is declared; `docs/configuration.md` is generated from here. A bad file is refused
with the file's name, the field, and what is allowed.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import entry_points
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from driftwatch.config.images import ImagesConfig
from driftwatch.config.model import ModelConfig, RetrainingConfig
from driftwatch.config.parts import LARGEST_SEED, Day, OpenShare, Section, Share, class_names, folded, refuse_alike
from driftwatch.config.performance import PerformanceConfig
from driftwatch.config.profiling import ProfilingConfig
from driftwatch.config.publish import PublishConfig

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")

AlertKind = Literal[
    "drift",
    "performance",
    "too_few_labels",
    "short_pool",
    "empty_day",
    "too_many_rejects",
    "day_failed",
    "retraining_failed",
    "model_promoted",
    "model_rolled_back",
]


def _expand(value: str) -> str:
    """Replaces `${NAME}` and `${NAME:-default}` by the environment variable, so that one file serves several deployments."""

    def replace(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"], match["default"])
        if found is None:
            raise ValueError(f"environment variable {match['name']} is not set and has no default (${{NAME:-default}})")
        return found

    return _VARIABLE.sub(replace, value)


def _storage_uri(value: str) -> str:
    expanded = _expand(value).rstrip("/")
    if "${" in expanded:
        raise ValueError(f"{expanded!r} has a ${{ left over: allowed are ${{NAME}} and ${{NAME:-default}}")
    if not re.match(r"^(file:///.+|s3://[^/]+)", expanded) and not _has_storage_of_its_own(expanded):
        raise ValueError(f"allowed are file:///absolute/folder and s3://bucket/prefix, not {expanded!r}")
    return expanded


def _has_storage_of_its_own(uri: str) -> bool:
    """Whether another package has a kind of storage for the scheme (driftwatch.storage.kinds)."""
    return bool(entry_points(group="driftwatch.storages", name=uri.partition("://")[0]))


class ScheduleConfig(Section):
    """Which days are monitored. A day is a UTC date; its run starts at the next midnight UTC."""

    start_date: Day = Field(description="First day that is monitored; quote nothing: `2026-01-01`.")
    end_date: Day | None = Field(None, description="Last day that is monitored; none means no end.")
    delivery_hours: float = Field(
        6,
        ge=0,
        le=24 * 7,
        description="Hours after the day's end in which images still arrive; its run waits for them, and a trigger without `day` is about a day before.",
    )

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ScheduleConfig:
        if self.end_date and self.end_date < self.start_date:
            raise ValueError(
                f"end_date {self.end_date} is before start_date {self.start_date}: no day would be monitored"
            )
        return self


class StorageConfig(Section):
    """Where images and artifacts live."""

    expanded: ClassVar[frozenset[str]] = frozenset({"uri"})

    uri: Annotated[str, AfterValidator(_storage_uri)] = Field(
        description="Root of the storage, file:///folder or s3://bucket/prefix; `${NAME:-default}` takes an environment variable."
    )
    connection: str | None = Field(
        None, description="Airflow connection of type aws for s3://; none means the machine's own role."
    )


class QualityRules(Section):
    """Toloka's quality control for the project's pools. Workers who break a rule are banned from the project for `ban_days`."""

    control_history: int = Field(
        10, ge=1, le=1000, description="The control-task rule looks at this many last control answers."
    )
    control_min_answers: int = Field(3, ge=1, le=1000, description="It acts after at least this many control answers.")
    control_min_correct_percent: float = Field(
        60, ge=0, le=100, description="Fewer right control answers than this ban."
    )
    fast_seconds: int = Field(5, ge=1, le=3600, description="A page answered in fewer seconds counts as fast.")
    fast_max: int = Field(2, ge=1, le=10, description="This many fast pages among the last ten ban.")
    skipped_in_row: int = Field(5, ge=1, le=1000, description="This many skipped pages in a row ban for a day.")
    majority_min_answers: int = Field(
        20, ge=1, le=10_000, description="The majority rule acts after this many answers."
    )
    majority_min_correct_percent: float = Field(
        50, ge=0, le=100, description="Fewer answers with the majority than this ban."
    )
    daily_income_limit: float = Field(
        10.0, gt=0, le=10_000, description="Income in USD in 24 hours after which a worker pauses for a day."
    )
    ban_days: int = Field(10, ge=1, le=3650, description="How long a ban lasts.")
    captcha_frequency: Literal["LOW", "MEDIUM", "HIGH"] | None = Field(
        "LOW", description="How often Toloka shows a captcha."
    )


class ExamConfig(Section):
    """An exam that annotators pass once before they see the monitor's images: a Toloka training, unpaid, with the right answer
    shown after a mistake. Its images come from the original set's holdout and are no control tasks."""

    tasks: int = Field(10, ge=1, le=100, description="Images of the exam.")
    passing_percent: int = Field(80, ge=0, le=100, description="Share of right first answers that admits.")
    retry_after_days: int | None = Field(
        30, ge=1, le=365, description="Days after which the exam can be taken again; null means never."
    )


class AnnotationConfig(Section):
    """The labelled sample of a day: what is asked, of whom, and what it may cost."""

    connection: str = Field("toloka_default", description="Airflow connection of type toloka.")
    image_links: str = Field(
        "driftwatch_images",
        description="Who makes the links by which annotators see images. For file:// storage: the Airflow HTTP connection of the image server. For s3:// storage: an Airflow connection of type aws whose key signs the links; by default the storage's own credentials do, which then must outlive the pool.",
    )
    project_name: str = Field(description="Public name of the Toloka project.")
    question: str = Field(description="What is asked under each image.")
    instructions: str = Field(description="Public instructions, HTML.")
    unclear_answer: str | None = Field(
        "unclear",
        min_length=1,
        max_length=200,
        description="A third answer for broken or undecidable images, counted apart; null leaves it out.",
    )
    languages: tuple[str, ...] = Field(("EN",), min_length=1, description="Languages of which a worker must speak one.")
    sample_size: Annotated[int, Field(ge=1, le=100_000)] | Literal["auto"] = Field(
        100,
        description="Images of the day's random sample; auto takes as many as `interval_width` needs and the budget allows.",
    )
    interval_width: OpenShare = Field(
        0.1, description="Wanted width of the day's accuracy interval, for sample_size auto."
    )
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED, description="Seed of the sample; with the day's date it fixes the choice."
    )
    overlap: int = Field(3, ge=1, le=50, description="Annotators for each image.")
    tasks_per_page: int = Field(9, ge=1, le=100, description="Images of the day on a page.")
    control_tasks_per_page: int = Field(
        1, ge=0, le=50, description="Control tasks on a page; with images of known truth."
    )
    control_tasks: int = Field(30, ge=0, le=10_000, description="Different control tasks put into the pool.")
    control_from_labels: bool = Field(
        True,
        description="Also take control tasks, at most half where the holdout has enough, from images of the last 30 days that all their annotators labelled alike. They check annotators; how often labels are wrong is told by the others.",
    )
    exam: ExamConfig | None = Field(None, description="An exam that admits annotators; null means none.")
    acceptance: Literal["automatic", "by_quality"] = Field(
        "by_quality",
        description="automatic: Toloka pays every page at once. by_quality: pages are accepted or rejected, with the reason, by the quality rules when the day is merged.",
    )
    accept_after_days: int = Field(
        7, ge=1, le=21, description="Days after which Toloka accepts a page that nobody has judged."
    )
    reward_per_page: float = Field(0.05, gt=0, le=100, description="USD for a page.")
    fee_share: Share = Field(0.2, description="Toloka's fee on top of the reward.")
    max_cost_per_day: float = Field(
        20.0, gt=0, le=1_000_000, description="USD; a day that would cost more is refused before anything is created."
    )
    max_cost_per_month: float = Field(
        300.0, gt=0, le=10_000_000, description="USD; counted over the days of the calendar month."
    )
    page_seconds: int = Field(600, ge=30, le=86_400, description="Time a worker has for a page.")
    expire_hours: float = Field(
        48, gt=0, le=160, description="Hours after which the pool expires; image links live four hours longer."
    )
    poll_seconds: float = Field(60, gt=0, le=86_400, description="How often the waiting sensor asks.")
    on_short_pool: Literal["fail", "use_if_enough"] = Field(
        "use_if_enough",
        description="A pool that ends incomplete fails the day, or is used where coverage reaches min_coverage.",
    )
    min_coverage: Share = Field(0.8, description="Share of the sample with at least one answer, for use_if_enough.")
    consensus: Literal["majority", "weighted", "dawid_skene"] = Field(
        "majority",
        description="How answers become one label. majority: most votes. weighted: votes weigh by the annotator's control tasks. dawid_skene: by each annotator's estimated confusion matrix.",
    )
    default_skill: float = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="For weighted and dawid_skene: an annotator's chance of a right answer before control tasks tell; counts as two of them.",
    )
    on_tie: Literal["abstain", "random_seeded", "first_class"] = Field(
        "abstain",
        description="What tied answers give: no label, a class drawn from the seed and the image, or the first of `classes`.",
    )
    quality: QualityRules = Field(default_factory=QualityRules)

    @model_validator(mode="after")
    def _enough_control(self) -> AnnotationConfig:
        share = self.control_tasks_per_page / (self.tasks_per_page + self.control_tasks_per_page)
        if share < 0.1:
            raise ValueError(
                f"control_tasks_per_page is {share:.0%} of what a worker sees; at least 10 % is needed to judge workers: "
                "raise control_tasks_per_page or lower tasks_per_page"
            )
        if self.control_tasks < self.control_tasks_per_page:
            raise ValueError("control_tasks must be at least control_tasks_per_page")
        return self


class NotifierConfig(Section):
    """An Airflow notifier that gets the monitor's alerts."""

    notifier: str = Field(description="Import path, like airflow.providers.smtp.notifications.smtp.SmtpNotifier.")
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="The notifier's arguments; Jinja may use {{ alert.subject }}, {{ alert.message }}, {{ alert.kind }}, {{ alert.day }}; in HTML {{ alert.message | e }}.",
    )
    on: tuple[AlertKind, ...] = Field(
        get_args(AlertKind),
        description="Which alerts it gets.",
    )


class MonitorConfig(Section):
    """One watched classifier."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{1,60}$", description="Lower-case name; DAG ids and storage folders begin with it."
    )
    description: str = Field("", description="One sentence for the UI.")
    owner: str = Field("ml-platform", min_length=1, max_length=200, description="Owner shown in the UI.")
    owner_link: str | None = Field(
        None,
        pattern=r"^(https?://|mailto:)\S+$",
        max_length=500,
        description="Where the owner's name leads in the UI: the team's page or chat (https://...), or its address (mailto:...).",
    )
    classes: tuple[str, ...] = Field(min_length=2, description="The classifier's classes, in the order of its outputs.")
    schedule: ScheduleConfig
    storage: StorageConfig
    images: ImagesConfig = Field(default_factory=ImagesConfig)
    profiling: ProfilingConfig = Field(default_factory=ProfilingConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    annotation: AnnotationConfig
    performance: PerformanceConfig = Field(default_factory=PerformanceConfig)
    publish: PublishConfig = Field(default_factory=PublishConfig)
    retraining: RetrainingConfig = Field(default_factory=RetrainingConfig)
    notifiers: tuple[NotifierConfig, ...] = ()

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
    def _unclear_is_no_class(self) -> MonitorConfig:
        unclear = self.annotation.unclear_answer
        if unclear is not None and folded(unclear) in map(folded, self.classes):
            raise ValueError(f"annotation.unclear_answer {unclear!r} is also one of classes")
        return self

    @property
    def monitoring_dag_id(self) -> str:
        return f"{self.name}_monitoring"

    @property
    def retraining_dag_id(self) -> str:
        return f"{self.name}_retraining"
