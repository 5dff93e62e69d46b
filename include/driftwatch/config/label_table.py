"""The section `labels.table` of the monitor file: where the truth is that comes by itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config.parts import Section


class LabelTableConfig(Section):
    """The truth of images, as files or a database have it."""

    covers: Literal["all", "random", "unknown"] = Field(
        description="Which of a day's images get a label. all: every one, sooner or later. random: a part that chance alone chose. unknown: some, chosen in ways that may have to do with what is in them; then no interval is claimed.",
    )
