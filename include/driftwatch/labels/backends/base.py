"""What every annotation service does for a day's labels, and the services by name.

A new one is one subclass of LabelBackend, and one line in the entry points of the package that brings it:

    [project.entry-points."driftwatch.label_backends"]
    our_desk = "our_package.labels:our_desk"      # called with a LabelSite, gives a LabelBackend

tests/driftwatch/labels/backends/test_conformance.py holds what each backend must do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.config.labels import DESK, LABEL_STUDIO, TOLOKA
from driftwatch.errors import NeedsAttention
from driftwatch.seams import Extra, Seam

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import LabelsConfig, MonitorConfig, QualityRules
    from driftwatch.credentials import Access
    from driftwatch.labels.links import ImageLinks

SEAM = Seam(
    "label backend",
    "driftwatch.label_backends",
    {
        TOLOKA: "driftwatch.labels.backends.toloka.backend:toloka_backend",
        DESK: "driftwatch.labels.backends.desk.backend:desk_backend",
        LABEL_STUDIO: "driftwatch.labels.backends.label_studio.backend:label_studio_backend",
    },
    {TOLOKA: Extra("toloka", "toloka")},
)
# The close reason, of every backend, of a pool whose images have all the answers that were wanted.
COMPLETED = "COMPLETED"
# Why the wait for a pool ended if the service did not close it.
AT_DEADLINE, AT_DAILY_LIMIT = "the deadline", "labels.max_cost_per_day"


@dataclass(frozen=True)
class Pool:
    """A day's pool, as one who waits for it names it.

    `pool_id`: the service's own id. `images`: those of the plan's `to_label`, each for `overlap` annotators. `fee_share`: what the service takes on top of
    each reward, as a share of it. `control`: control tasks beside the images. `price_per_hour`: USD for an hour of an annotator's time,
    where that is what labels cost. `known`: the class of each control task, by image id.
    """

    pool_id: str
    images: int
    overlap: int
    fee_share: float
    control: int = 0
    price_per_hour: float = 0.0
    known: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def tasks(self) -> int:
        """How many images people are asked about, control tasks included."""
        return self.images + len(self.known)

    @classmethod
    def of(cls, plan: AnnotationPlan, labels: LabelsConfig) -> Pool:
        """The pool of a plan that was carried out; raises NeedsAttention where there is none yet."""
        if plan.pool_id is None:
            raise NeedsAttention(
                f"the plan of {plan.day} has no pool yet: clear create_annotation_pool and what follows it"
            )
        price = labels.price_per_hour if labels.by_hour else 0.0
        known = {task.image_id: task.label for task in plan.control}
        return cls(plan.pool_id, len(plan.to_label), plan.overlap, labels.fee, len(plan.control), price, known)


@dataclass(frozen=True)
class PoolState:
    """`ends` (aware): until when the service takes answers. `close_reason`: COMPLETED, or the service's own word for why it closed."""

    is_open: bool
    ends: datetime
    close_reason: str | None = None


@dataclass(frozen=True)
class Opening:
    """What a day's pool is made from, and what is told meanwhile.

    `links` make the images' addresses. `now` (aware): when this run began. `record` writes the plan whenever a fact about the outside is
    learnt. `before_change` is called before each request that may change something; what it raises stops the request.
    """

    plan: AnnotationPlan
    config: MonitorConfig
    links: ImageLinks
    now: datetime
    record: Callable[[AnnotationPlan], None]
    before_change: Callable[[], None]


class LabelBackend(ABC):
    """One account at an annotation service. Nothing is read or connected before a method needs it.

    Each method may be repeated at will, after a kill at any point too. A failure that may pass is raised as it comes; `refusal` tells it
    from one that stays. `name`: by which it is registered. `title`: what people call the service.
    `ends_itself`: the service takes no answers after a pool's end; otherwise whoever waits closes it. `knows_truth`: it is told the class of
    each control task; otherwise a `Pool` must say it. `renews_links`: `renew` gives images new links while people label.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    ends_itself: ClassVar[bool] = True
    knows_truth: ClassVar[bool] = True
    renews_links: ClassVar[bool] = False

    def account(self) -> str:
        """Whose account it is and how it stands, as the service says now, in one line for people; nothing is changed. Empty where a service
        cannot tell. Raises what the service answers to a login that it refuses."""
        return ""

    @abstractmethod
    def find_or_create(self, opening: Opening) -> AnnotationPlan:
        """Ends with the plan's one pool open, each image of its `to_label` in it once; or closed, where it may not go on.

        It is found before it is created, by the plan's `title`: late images of the day have a plan, and a pool, of their own. Returns the plan with what was learnt. Raises OverBudget where the account has too little money.
        """

    def renew(self, opening: Opening) -> AnnotationPlan:
        """Gives each image that is still asked about a link that lasts until the end of `opening.links`, and returns the plan with that end.

        A service that cannot change a task leaves this method out."""
        return opening.plan

    @abstractmethod
    def look(self, pool: Pool) -> PoolState:
        """Whether the pool is open, and why not."""

    @abstractmethod
    def progress(self, pool: Pool) -> AnnotationProgress:
        """How far the pool is, and what it has cost; `labels.progress.progress_of` makes it."""

    @abstractmethod
    def collect(self, pool: Pool) -> pd.DataFrame:
        """Every answer of the pool so far, control tasks included, as `labels.assignments.assignments_table` makes it.

        Answers that came after the pool was closed belong to it."""

    def settle(self, pool: Pool, assignments: pd.DataFrame, rules: QualityRules) -> pd.DataFrame:
        """Accepts or rejects each page that waits for it, once, and gives the assignments after that.

        `assignments`: as collected. A service that decides nothing leaves this method out."""
        return assignments

    @abstractmethod
    def close(self, pool: Pool) -> None:
        """Ends the pool, which may take a moment; one that is closed already stays so."""

    def blank(self, pool_id: str, tokens: Mapping[str, str]) -> int | None:
        """Takes images out of the pool's tasks: each task of an image of `tokens` gets the token in place of the image's id, and no link to
        it. Answers stay, so that every count does. Returns how many tasks were changed; None where the service cannot change a task."""
        return None

    @abstractmethod
    def page(self, plan: AnnotationPlan) -> str:
        """Where a person sees the plan's pool."""

    @abstractmethod
    def refusal(self, error: Exception) -> NeedsAttention | None:
        """The error as one that asking again cannot help; None where it may pass."""

    @abstractmethod
    def remedy(self, reason: str) -> str:
        """What a person can do about a pool that ended early for `reason`: its close reason, AT_DEADLINE or AT_DAILY_LIMIT."""


@dataclass(frozen=True)
class LabelSite:
    """What a backend is made from: its Airflow connection's id, and `access(connection, secret)`, which reads one. `secret` says, for
    messages, what its password is."""

    connection: str
    access: Callable[[str, str], Access]


BackendFactory = Callable[[LabelSite], LabelBackend]


def backend_of(name: str, site: LabelSite) -> LabelBackend:
    """The backend of a name; raises ConfigError where no installed package has it, or it cannot be loaded."""
    factory: BackendFactory = SEAM.find(name)
    return factory(site)
