"""The monitor file's section `episodes`: how a change that lasts is told."""

from __future__ import annotations

from pydantic import Field

from driftwatch.config.parts import Section


class EpisodesConfig(Section):
    """A change that lasts is one episode (docs/episodes.md): its opening, what is new in it, and its end are told, and not each of its days."""

    usual_days: int = Field(
        3,
        ge=1,
        le=60,
        description="An episode ends when so many days with evidence follow on which all is as usual.",
    )
    remind_days: int = Field(
        7,
        ge=0,
        le=365,
        description="An episode that stays open is told again when nothing was told of it for so many days. 0: never.",
    )
    growth: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Images that change further are told once the size of the change, 0 to 1, has grown by so much since it was last told. "
        "The size is the largest effect that the drift tests found.",
    )
