"""The alerts about a change that is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.alerts import DayAlert, News

if TYPE_CHECKING:
    from driftwatch.artifacts.episodes import Episode


@dataclass(frozen=True)
class EpisodeEnded(DayAlert):
    """A change is over. `episode`: as it was."""

    episode: Episode

    @property
    def news(self) -> News:
        return {"since": self.episode.since.isoformat(), "ended": self.episode.ended, "by": self.episode.ended_by}


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
