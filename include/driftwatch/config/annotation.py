"""The section `annotation` of the monitor file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from driftwatch.config.parts import LARGEST_SEED, Fraction, OpenFraction, Section


class QualityRules(Section):
    """Toloka's quality control for the project's pools. An annotator who breaks a rule is banned from the project for `ban_days`."""

    control_history: int = Field(
        10, ge=1, le=1000, description="How many of an annotator's last control answers the control-task rule looks at."
    )
    control_min_answers: int = Field(
        3, ge=1, le=1000, description="The control-task rule applies from this many control answers on."
    )
    control_min_correct_percent: float = Field(
        60,
        ge=0,
        le=100,
        description="An annotator is banned if fewer than this percent of the control answers are right.",
    )
    fast_seconds: int = Field(
        5, ge=1, le=3600, description="A page counts as fast if it is answered in fewer seconds than this."
    )
    fast_max: int = Field(
        2, ge=1, le=10, description="An annotator is banned after this many fast pages among the last ten."
    )
    skipped_in_row: int = Field(
        5,
        ge=1,
        le=1000,
        description="An annotator who skips this many pages in a row is banned for a day.",
    )
    majority_min_answers: int = Field(
        20, ge=1, le=10_000, description="The majority rule applies from this many answers on."
    )
    majority_min_correct_percent: float = Field(
        50,
        ge=0,
        le=100,
        description="An annotator is banned if fewer than this percent of the answers agree with the majority.",
    )
    daily_income_limit: float = Field(
        10.0, gt=0, le=10_000, description="An annotator who has earned this many USD in 24 hours pauses for a day."
    )
    ban_days: int = Field(10, ge=1, le=3650, description="How many days a ban lasts.")
    captcha_frequency: Literal["LOW", "MEDIUM", "HIGH"] | None = Field(
        "LOW", description="How often Toloka shows a captcha; null means never."
    )


class ExamConfig(Section):
    """An exam that annotators must pass once before they see the monitor's images. It is a Toloka training: unpaid, and it shows the
    right answer after a mistake. Its images come from the holdout of the original set, and none of them is a control task."""

    tasks: int = Field(10, ge=1, le=100, description="How many images the exam has.")
    passing_percent: int = Field(
        80, ge=0, le=100, description="An annotator passes with this percent of right first answers."
    )
    retry_after_days: int | None = Field(
        30, ge=1, le=365, description="After this many days the exam may be taken again; null means never."
    )


class AnnotationConfig(Section):
    """The labelled sample of a day: what is asked, who is asked, and what it may cost."""

    connection: str = Field("toloka_default", description="The Airflow connection of type toloka.")
    image_links: str = Field(
        "driftwatch_images",
        description="What makes the links by which annotators see images. For file:// storage: the Airflow HTTP connection of the image server. For s3:// storage: an Airflow connection of type aws whose key signs the links. With the default, the storage's own credentials sign them; these must then be valid for longer than the pool is open.",
    )
    project_name: str = Field(description="The public name of the Toloka project.")
    question: str = Field(description="The question under each image.")
    instructions: str = Field(description="The public instructions, in HTML.")
    unclear_answer: str | None = Field(
        "unclear",
        min_length=1,
        max_length=200,
        description="One more answer, for images that are broken or cannot be decided. It is counted apart from the classes; null leaves it out.",
    )
    languages: tuple[str, ...] = Field(
        ("EN",), min_length=1, description="An annotator must speak one of these languages."
    )
    sample_size: Annotated[int, Field(ge=1, le=100_000)] | Literal["auto"] = Field(
        100,
        description="How many images the day's random sample has. auto takes as many as `interval_width` needs and the budget allows.",
    )
    interval_width: OpenFraction = Field(
        0.1, description="For `sample_size: auto`: how wide the interval of the day's accuracy should be."
    )
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED, description="Seed of the sample. Seed and date together fix which images are chosen."
    )
    overlap: int = Field(3, ge=1, le=50, description="How many annotators see each image.")
    tasks_per_page: int = Field(9, ge=1, le=100, description="How many images of the day a page has.")
    control_tasks_per_page: int = Field(
        1, ge=0, le=50, description="How many control tasks a page has. A control task is an image of known class."
    )
    control_tasks: int = Field(30, ge=0, le=10_000, description="How many different control tasks the pool has.")
    control_from_labels: bool = Field(
        True,
        description="Also take control tasks from images of the last 30 days that all their annotators labelled alike. They are at most half of the control tasks if the holdout has enough images. They check annotators; how often labels are wrong is estimated from the other control tasks alone.",
    )
    exam: ExamConfig | None = Field(
        None, description="An exam that annotators must pass first; null means there is none."
    )
    acceptance: Literal["automatic", "by_quality"] = Field(
        "by_quality",
        description="automatic: Toloka pays every page at once. by_quality: when the day is merged, the quality rules accept or reject each page, with the reason.",
    )
    accept_after_days: int = Field(
        7, ge=1, le=21, description="After this many days Toloka accepts a page that nobody has judged."
    )
    reward_per_page: float = Field(0.05, gt=0, le=100, description="What an annotator gets for a page, in USD.")
    fee_share: Fraction = Field(0.2, description="Toloka's fee, as a share of the reward. It is paid on top of it.")
    max_cost_per_day: float = Field(
        20.0,
        gt=0,
        le=1_000_000,
        description="What a day may cost, in USD. A day that would cost more is refused before anything is created.",
    )
    max_cost_per_month: float = Field(
        300.0, gt=0, le=10_000_000, description="What the days of a calendar month may cost together, in USD."
    )
    page_seconds: int = Field(600, ge=30, le=86_400, description="How many seconds an annotator has for a page.")
    expire_hours: float = Field(
        48, gt=0, le=160, description="The pool expires after this many hours; image links work four hours longer."
    )
    poll_seconds: float = Field(
        60, gt=0, le=86_400, description="While people answer, the pool is looked at each time after this many seconds."
    )
    on_short_pool: Literal["fail", "use_if_enough"] = Field(
        "use_if_enough",
        description="What to do if the pool ends before all is answered. fail: the day fails. use_if_enough: its answers are used if enough of the sample has one (`min_coverage`); otherwise the day fails.",
    )
    min_coverage: Fraction = Field(
        0.8, description="For use_if_enough: the share of the sample that must have at least one answer."
    )
    consensus: Literal["majority", "weighted", "dawid_skene"] = Field(
        "majority",
        description="How the answers on an image become one label. majority: the class with most votes. weighted: an annotator's vote weighs more the more control tasks were right. dawid_skene: by the estimated confusion matrix of each annotator.",
    )
    default_skill: float = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="For weighted and dawid_skene: how likely an annotator is to be right before any control task tells. It counts as much as two control answers.",
    )
    on_tie: Literal["abstain", "random_seeded", "first_class"] = Field(
        "abstain",
        description="What to do if several classes have equally many votes. abstain: the image gets no label. random_seeded: one of them is drawn; seed and image fix which. first_class: the one that comes first in `classes`.",
    )
    quality: QualityRules = Field(default_factory=QualityRules)

    @model_validator(mode="after")
    def _enough_control(self) -> AnnotationConfig:
        share = self.control_tasks_per_page / (self.tasks_per_page + self.control_tasks_per_page)
        if share < 0.1:
            raise ValueError(
                f"control_tasks_per_page is {share:.0%} of what an annotator sees; at least 10 % is needed to judge annotators: "
                "raise control_tasks_per_page or lower tasks_per_page"
            )
        if self.control_tasks < self.control_tasks_per_page:
            raise ValueError(
                f"control_tasks ({self.control_tasks}) must be at least control_tasks_per_page ({self.control_tasks_per_page}): raise "
                "it, since no task stands twice on a page"
            )
        return self
