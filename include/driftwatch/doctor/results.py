"""What the doctor finds: one typed value for each check. `driftwatch.view.doctor` has the words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from driftwatch.artifacts.annotation import Cost

Check = Literal[
    "connection",
    "storage",
    "storage_create",
    "storage_only_once",
    "storage_read",
    "storage_list",
    "storage_remove",
    "formats",
    "images",
    "boxes",
    "image_links",
    "clock",
    "label_service",
    "whylabs",
    "mlflow",
    "notifier",
    "champion",
    "model",
    "reference",
    "verdict",
    "evaluation",
    "gate",
    "cost",
]
# `look`: it works, and yet something will not go as hoped. `not_checked`: what it needs is missing, or the monitor has no such thing yet.
State = Literal["ok", "look", "wrong", "not_checked"]


@dataclass(frozen=True)
class Said:
    """What a service says of itself, or why something was not looked at, in one line."""

    text: str


@dataclass(frozen=True)
class LinkLife:
    """`hours`: how long an image link must work. `renewed`: links are made anew meanwhile, so it need not last that long at once."""

    hours: int
    renewed: bool


@dataclass(frozen=True)
class Skew:
    """How many seconds the other clock is ahead of this machine's."""

    seconds: float


@dataclass(frozen=True)
class Answered:
    """The champion answered `images` images of no content in `seconds`, its loading included."""

    version: str
    kind: str
    images: int
    seconds: float


@dataclass(frozen=True)
class ReferenceOf:
    """The reference of image quality of the champion. `missing`: features of a day that it has not."""

    version: str
    images: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class ForVerdict:
    """`images` of a day are labelled, and a verdict takes `needed` labels."""

    images: int
    needed: int


@dataclass(frozen=True)
class ForGate:
    """One day leaves `images` for the gate, which takes `needed`."""

    images: float
    needed: int


@dataclass(frozen=True)
class Promotion:
    """`said`: what the gate needs to promote, or why it hardly ever will."""

    said: str


@dataclass(frozen=True)
class MonthsCost:
    """What a full day of `images` labelled images costs, the limits in USD, and for how many full days of a month they are enough."""

    images: int
    day: Cost
    day_limit: float
    month_limit: float

    @property
    def month(self) -> float:
        """USD of thirty full days."""
        return 30 * self.day.total

    @property
    def days(self) -> int:
        """The full days of a month that its limit allows."""
        return int(self.month_limit / self.day.total) if self.day.total else 31


Facts = Said | LinkLife | Skew | Answered | ReferenceOf | ForVerdict | ForGate | Promotion | MonthsCost


@dataclass(frozen=True)
class CheckResult:
    """`about`: what was checked of several, such as a connection. `problem`: what failed; its message says what to do."""

    check: Check
    state: State
    about: str = ""
    facts: Facts | None = None
    problem: Exception | None = None


def looked(check: Check, look: Callable[[], Facts | None], about: str = "") -> CheckResult:
    """The finding of one look. Whatever it raises is what was found: a doctor does not stop at the first illness."""
    try:
        return CheckResult(check, "ok", about, look())
    except Exception as error:
        return CheckResult(check, "wrong", about, problem=error)


def not_checked(check: Check, why: str, about: str = "") -> CheckResult:
    return CheckResult(check, "not_checked", about, Said(why))
