"""The section `labels` of the monitor file: who says what is in the images, how many are asked about, and what that may cost."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from driftwatch.config.blur import HIDE, BlurConfig
from driftwatch.config.crowd import ExamConfig, QualityRules
from driftwatch.config.label_studio import LabelStudioConfig
from driftwatch.config.label_table import LabelTableConfig
from driftwatch.config.parts import LARGEST_SEED, Fraction, OpenFraction, Section

TOLOKA: Final = "toloka"
LABEL_STUDIO: Final = "label_studio"
DESK: Final = "desk"
TABLE: Final = "table"
NONE: Final = "none"
LARGEST_SAMPLE = 100_000
# Settings that only some backends know, with those that do. The others are for every backend by which people label.
_ONLY_FOR: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("languages", "exam", "acceptance", "accept_after_days", "reward_per_page", "fee_share"), (TOLOKA,)
    ),
    **dict.fromkeys(("tasks_per_page", "control_tasks_per_page", "page_seconds"), (TOLOKA, DESK)),
    **dict.fromkeys(("price_per_hour", "seconds_per_image"), (LABEL_STUDIO, DESK)),
    "label_studio": (LABEL_STUDIO,),
}
# Settings that Toloka does not use.
OTHER_THAN_TOLOKA = {name for name, backends in _ONLY_FOR.items() if TOLOKA not in backends} | {
    "backend",
    "check_with",
    "table",
    "wait_days",
}
_OF_A_TABLE = {"backend", "table", "check_with", "wait_days", "min_coverage", "blur"}


class LabelsConfig(Section):
    """Who says what is in a day's images: people who label a sample, or a table. The section `annotation` of earlier monitor files is
    this one with `backend: toloka`."""

    backend: str = Field(
        min_length=1,
        max_length=60,
        description="Where labels come from. toloka: Toloka's crowd. label_studio: a Label Studio of your own. desk: Driftwatch's own labelling page. table: the truth comes later by itself, from files or a database. none: there are no labels, and drift alone is watched. A package may bring others. docs/labels.md tells which to take.",
    )
    check_with: str | None = Field(
        None,
        min_length=1,
        max_length=60,
        description="For `backend: table`: by which backend (toloka, label_studio, desk) people label a small random sample too, which tells how often the table is right. Their answers decide nothing else.",
    )
    connection: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The Airflow connection of the service by which people label; null: toloka_default, label_studio_default or driftwatch_desk_default.",
    )
    image_links: str = Field(
        "driftwatch_images",
        description="What makes the links by which annotators see images. For file:// storage: the Airflow HTTP connection of the image server. For an object store: an Airflow connection of the type that storage.connection takes, whose key signs the links. With the default, the storage's own credentials sign them; these must then be valid for longer than the pool is open.",
    )
    project_name: str = Field("", description="The name of the project that people see. People who label need it.")
    question: str = Field("", description="The question under each image. People who label need it.")
    instructions: str = Field("", description="The instructions, in HTML. People who label need them.")
    unclear_answer: str | None = Field(
        "unclear",
        min_length=1,
        max_length=200,
        description="One more answer, for images that are broken or cannot be decided. It is counted apart from the classes; null leaves it out.",
    )
    languages: tuple[str, ...] = Field(
        ("EN",), min_length=1, description="An annotator must speak one of these languages."
    )
    sample_size: Annotated[int, Field(ge=1, le=LARGEST_SAMPLE)] | Literal["auto"] = Field(
        100,
        description="How many images the day's random sample has. auto takes as many as `interval_width` needs and the budget allows.",
    )
    sampling: Literal["random", "stratified"] = Field(
        "random",
        description="How the sample is drawn. random: each image has the same chance. stratified: rare predicted classes and unsure answers have a larger one, which the estimates reckon with; it needs scores to be worth it, and waits for the day's predictions. docs/benchmarks/judgement/sampling.md says how many labels it saves.",
    )
    extra_for_training: int = Field(
        0,
        ge=0,
        le=10_000,
        description="So many images of a day are labelled besides, because the model was unsure of them. Retraining may use them to train on; no estimate and no comparison of models does. They count towards the cost, and the day waits for its predictions.",
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
    price_per_hour: float = Field(
        0.0,
        ge=0,
        le=10_000,
        description="What an hour of an annotator's time costs, in USD. The limits of cost rest on it; 0: time costs nothing, and the limits never hold anything back.",
    )
    seconds_per_image: float = Field(
        6.0,
        gt=0,
        le=3600,
        description="How long an annotator is expected to need for an image; the planned cost rests on it.",
    )
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
    unclear_votes: Literal["rival", "set_aside"] = Field(
        "rival",
        description="What a vote for the unclear answer does. rival: it counts against the classes, so an image can end unclear or tied with it. set_aside: the other votes decide, and an image is unclear only if it has no other.",
    )
    exclude_flagged: bool = Field(
        False,
        description="Whether the votes of annotators who are flagged for their control tasks are left out when the day is merged. They stay in assignments.parquet.",
    )
    quality: QualityRules = Field(default_factory=QualityRules)
    label_studio: LabelStudioConfig = Field(default_factory=LabelStudioConfig)
    table: LabelTableConfig | None = Field(None, description="Where the truth is; needed for `backend: table`.")
    blur: BlurConfig | None = Field(
        None,
        description="Boxes that are covered in all that people see of the images, pages and reports too; null: images are shown as they are.",
    )
    wait_days: int = Field(
        30,
        ge=0,
        le=366,
        description="For `backend: table`: how many days after the day its labels may still come. Until then the day is scored again as they come; then the correction is published once.",
    )

    @property
    def people(self) -> str | None:
        """The backend by which people label; None where nobody does."""
        if self.backend in (TABLE, NONE):
            return self.check_with
        return self.backend

    @property
    def labelled(self) -> bool:
        """Whether a day gets labels at all."""
        return self.backend != NONE

    @property
    def connection_id(self) -> str:
        """The Airflow connection of the service by which people label."""
        prefix = "driftwatch_desk" if self.people == DESK else self.people
        return self.connection or f"{prefix}_default"

    @property
    def fee(self) -> float:
        """What the service takes on top of each reward, as a share of it."""
        return 0.0 if self.by_hour else self.fee_share

    @property
    def needs_predictions(self) -> bool:
        """Whether the day's images to label are chosen by the model's answers."""
        return self.people is not None and (self.sampling == "stratified" or self.extra_for_training > 0)

    @property
    def by_hour(self) -> bool:
        """Whether people's time is what labels cost, and not pages."""
        return self.people in (LABEL_STUDIO, DESK)

    @model_validator(mode="after")
    def _of_its_backend(self) -> LabelsConfig:
        said = self.model_fields_set - {"backend"}
        given = {
            name
            for name in said
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True)
        }
        if self.backend == NONE and given - {"blur"}:
            raise ValueError(
                f"backend: none has no other settings but blur: remove {', '.join(sorted(given - {'blur'}))}"
            )
        if self.backend == TABLE and self.table is None:
            raise ValueError("backend: table needs the section labels.table")
        if self.check_with in (TABLE, NONE):
            raise ValueError(f"check_with: {self.check_with} are no people: name a backend by which people label")
        if self.backend != TABLE and self.check_with:
            raise ValueError("check_with is for backend: table; remove it")
        if self.check_with and self.needs_predictions:
            raise ValueError(
                "check_with asks people about a plain random sample, which tells how often the table is right: remove sampling and "
                "extra_for_training"
            )
        strange = given - _OF_A_TABLE if self.people is None else set()
        if self.backend != TABLE:
            strange |= given & {"table", "wait_days"}
        known = {TOLOKA, LABEL_STUDIO, DESK}
        strange |= {
            name for name in given & set(_ONLY_FOR) if self.people in known and self.people not in _ONLY_FOR[name]
        }
        if strange:
            raise ValueError(
                f"backend: {self.people or self.backend} does not use {', '.join(sorted(strange))}: remove them"
            )
        if self.people:
            missing = [name for name in ("project_name", "question", "instructions") if not getattr(self, name).strip()]
            if missing:
                raise ValueError(f"people who label need {', '.join(missing)}: say it in the monitor file")
        return self

    @model_validator(mode="after")
    def _enough_control(self) -> LabelsConfig:
        if self.people not in (TOLOKA, DESK):
            return self
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

    @model_validator(mode="after")
    def _known_images_can_be_shown(self) -> LabelsConfig:
        hidden = self.blur is not None and self.blur.training == HIDE
        if hidden and self.people and (self.exam is not None or self.control_tasks):
            raise ValueError(
                "blur.training is hide, so nobody is shown the labelled originals, and control tasks and the exam are made of them: name the "
                "table of their boxes in blur.training, or say show if nothing of them is to be covered"
            )
        return self
