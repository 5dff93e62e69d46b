"""A day's annotation: what is asked and what it costs (annotation.json), and how far the annotators are."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from driftwatch.artifacts.base import DayArtifact, Part
from driftwatch.artifacts.parts import Number, Time

PlanState = Literal[
    "planned", "creating_project", "creating_exam", "creating_pool", "created", "opened", "closed"
]  # in the order in which a plan goes through them


class SampleSize(Part):
    """How many images to ask about. If the monitor file gives the number, only `images` is present."""

    images: int
    """The number."""
    wanted: int | None = None
    """How many the wanted width of the interval needs."""
    affordable: int | None = None
    """How many the budget allows."""
    expected_accuracy: Number | None = None
    """The accuracy for which the width was reckoned: the lower end of the holdout's interval."""
    worth: Number | None = None
    """What a label of the last days was worth, in labels of a plain sample."""


class Stratum(Part):
    """A part of the day's images from which the sample takes a share of its own."""

    name: str
    """What its images have in common, in words."""
    images: int
    """How many of the day's images are in it."""
    asked: int
    """How many of these annotators are asked about."""


class SampledImage(Part):
    """An image of the day that annotators are asked about."""

    image_id: str
    """sha256 of its bytes."""
    key: str
    """Where its file was when the plan was made."""
    stratum: str | None = None
    """The name of its stratum; absent in a plain random sample."""


class KnownImage(SampledImage):
    """An image whose class is known, for a control task or the exam."""

    label: str
    """Its class."""


class ExamPlan(Part):
    """The exam that admits annotators."""

    tasks: tuple[KnownImage, ...]
    """What it asks, the same for every day."""
    passing_percent: Number
    """Right answers that are needed, in percent."""
    retry_after_days: Number | None
    """Days after which it may be tried again; null means never."""
    links_end: Time
    """Until when the image links of an exam that is made now are valid."""


class Cost(Part):
    """What the day is planned to cost, in `currency`."""

    pages: int
    """Pages over all annotators; 0 where their time is paid."""
    hours: Number | None = None
    """Hours over all annotators, where their time is what labels cost; else absent."""
    price_per_hour: Number | None = None
    """USD; absent as `hours` is."""
    tasks_per_page: int | None = None
    """Images of the sample on each page; absent in a plan of an early Driftwatch."""
    reward: Number
    """For all pages."""
    reward_per_page: Number = Field(default_factory=lambda known: known["reward"] / max(known["pages"], 1))
    """Paid to the annotator of a page; absent as `tasks_per_page` is."""
    fee: Number
    """The service's, for all pages."""
    total: Number
    """Reward and fee."""
    currency: str
    """USD."""
    control_share: Number
    """Share of control tasks among the tasks of a page."""


class AnnotationProgress(DayArtifact):
    """How far the day's pool is: annotation_progress.json as of the last look, and `progress` of a plan that has ended."""

    file = "annotation_progress.json"

    images: int
    """Images that people are asked about: the sample, and those for training."""
    answered_images: int
    """Those with at least one answer."""
    coverage: Number
    """Their share, 0 to 1."""
    answers: int
    """Answers given, also on pages that were rejected."""
    answers_wanted: int
    """Images times overlap."""
    reward: Number
    """Spent on rewards, in USD."""
    spent: Number
    """Spent with the fee, in USD."""
    hours: Number | None = None
    """Annotators' hours so far, where their time is what labels cost; else absent."""
    text: str
    """The same in words."""


class LateDraw(Part):
    """How a supplement was drawn: from images that came after the day's sample was, with the chance that those had."""

    number: int
    """Which of the day's supplements it is, from 1."""
    images: int
    """Late images from which it was drawn."""
    share: Number
    """The chance of each of them to be drawn; that of the day's other images is the same, if the sample has no strata."""
    surplus: tuple[str, ...] = ()
    """Ids of images that were asked about before with a greater chance than `share`, and are in no estimate now; absent if there are none."""


class NotAsked(Part):
    """Late images that no supplement could be drawn from."""

    images: int
    """How many."""
    reason: str
    """Why, with the setting that would have to change."""


class AnnotationPlan(DayArtifact):
    """annotation.json. It is written before any money is spent, and again whenever something new is known about the pool.

    A plan of an early Driftwatch has no `sample_size`, `exam`, `exam_id` and `creations`.
    """

    file = "annotation.json"

    day: datetime.date
    """The run's own date, UTC."""
    backend: str = "toloka"
    """By which people label; absent for Toloka."""
    state: PlanState
    """How far the pool is made. `creating_…` is written before the service is asked to create it."""
    seed: int
    """Seed of the sample."""
    overlap: int
    """Annotators for each image."""
    sample: tuple[SampledImage, ...]
    """The images, by id."""
    sample_size: SampleSize = Field(default_factory=lambda known: SampleSize(images=len(known["sample"])))
    """How many images, and why so many."""
    strata: tuple[Stratum, ...] = ()
    """The parts of the day from which the sample was drawn; absent for a plain random sample of the whole day."""
    extra: tuple[SampledImage, ...] = ()
    """Images that are labelled besides, for training, and of which no estimate knows; absent if there are none."""
    changed: tuple[SampledImage, ...] = ()
    """Images that were drawn but whose files have changed since; absent if there are none."""
    control: tuple[KnownImage, ...]
    """Control tasks, by image id."""
    exam: ExamPlan | None = None
    """Null where the monitor has none."""
    cost: Cost
    """What is planned."""
    project_id: str | None
    """The service's id of the project; null before there is one."""
    exam_id: str | None = None
    """The service's id of the exam; null before there is one, and without an exam."""
    pool_id: str | None
    """The service's id of the pool, in Label Studio of the project; null before there is one."""
    dropped_pools: tuple[str, ...] = ()
    """Pools that were left unopened, as their time was nearly over; absent where there are none."""
    creations: dict[str, int] = Field(default_factory=dict)
    """How often the service was asked to create a project, an exam and a pool; and, in Label Studio, to import tasks."""
    operation_ids: tuple[str, ...]
    """Ids of the uploads that were sent."""
    expires: Time
    """When the pool ends."""
    links_expire: Time
    """Until when the image links are valid."""
    close_reason: str | None = None
    """Why the pool ended, in the service's words; absent before it has."""
    progress: AnnotationProgress | None = None
    """How far it was at its end; absent before."""
    late: LateDraw | None = None
    """How it was drawn, of a supplement; absent in the plan of the day's own sample."""
    supplements: tuple[AnnotationPlan, ...] = ()
    """Samples of images that came after the day's own was drawn, each with a pool of its own; absent if there are none."""
    not_asked: NotAsked | None = None
    """Images that came later still, if nobody is asked about any of them; else absent."""

    @property
    def parts(self) -> tuple[AnnotationPlan, ...]:
        """The day's own sample, then its supplements, without those for which nobody is asked: each with its own pool and cost."""
        return (self, *(part for part in self.supplements if part.sample_size.images))

    @property
    def newest(self) -> AnnotationPlan:
        """The part that was planned last."""
        return self.parts[-1]

    @property
    def number(self) -> int:
        """0 for the day's own sample, else the supplement's number."""
        return self.late.number if self.late else 0

    @property
    def title(self) -> str:
        """What tells the pool from every other of the monitor's, for its marker and for people."""
        return f"{self.day} supplement {self.number}" if self.number else str(self.day)

    @property
    def asked_about(self) -> tuple[str, ...]:
        """The ids of all images that people are asked about."""
        return tuple(image.image_id for part in self.parts for image in part.sample)

    @property
    def surplus(self) -> frozenset[str]:
        """The ids of images whose labels are in no estimate, as their chance was greater than that of the others."""
        return frozenset(image_id for part in self.supplements if part.late for image_id in part.late.surplus)

    def with_part(self, part: AnnotationPlan) -> AnnotationPlan:
        """The day's plan with this `part` in the place of the one with its number."""
        if not part.number:
            return part
        found = tuple(part if other.number == part.number else other for other in self.supplements)
        return self.model_copy(update={"supplements": found})

    @property
    def to_label(self) -> tuple[SampledImage, ...]:
        """All images that people are asked about, by id: the sample, and those for training alone, which nobody can tell apart."""
        return tuple(sorted((*self.sample, *self.extra), key=lambda image: image.image_id))

    @property
    def weights(self) -> dict[str, float]:
        """For how many images of the day each image of a stratified sample stands, by image id; empty for a plain random sample."""
        worth = {stratum.name: stratum.images / stratum.asked for stratum in self.all_strata if stratum.asked}
        images = (image for part in self.parts for image in part.sample)
        return {image.image_id: worth[image.stratum] for image in images if image.stratum in worth}

    @property
    def all_strata(self) -> tuple[Stratum, ...]:
        """The strata of the sample, then those of the supplements; empty for a plain random sample."""
        return (*self.strata, *(stratum for part in self.supplements for stratum in part.strata))

    @property
    def asked(self) -> bool:
        """Whether the service was asked for a pool. Then people may have seen the sample, so it stays as it is."""
        return bool(self.pool_id or self.creations.get("pool"))
