"""The alerts about a change that is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.alerts import DayAlert, News

if TYPE_CHECKING:
    from driftwatch.artifacts.episodes import Episode
    from driftwatch.artifacts.segments import SegmentDrift


@dataclass(frozen=True)
class EpisodeEnded(DayAlert):
    """A change is over. `episode`: as it was; `new`: segments that are new on this day, which are told along with it."""

    episode: Episode
    new: tuple[SegmentDrift, ...] = ()

    @property
    def news(self) -> News:
        news: News = {"since": self.episode.since.isoformat(), "ended": self.episode.ended, "by": self.episode.ended_by}
        return news | ({"new": sorted(f"{row.by} {row.name}" for row in self.new)} if self.new else {})


@dataclass(frozen=True)
class ImagesUsualAgain(EpisodeEnded):
    """The images are as usual again, or what they are now is usual by decision."""

    kind = "drift"
    source = "drift"


@dataclass(frozen=True)
class ModelHoldsAgain(EpisodeEnded):
    """The model's accuracy holds again, or another model took over."""

    kind = "performance"
    source = "performance"
