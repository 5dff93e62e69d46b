"""The section `labels.label_studio` of the monitor file."""

from __future__ import annotations

from pydantic import Field

from driftwatch.config.parts import Section


class LabelStudioConfig(Section):
    """How a day's images are shown in Label Studio. The server and its token are in the Airflow connection."""

    keep_projects_days: int = Field(
        30,
        ge=0,
        le=3650,
        description="So many days after its end a project, whose answers were collected, is deleted with the next day's creation. 0: never.",
    )
