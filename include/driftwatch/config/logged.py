"""The section `model.logged` of the monitor file: where production writes down what it answered."""

from __future__ import annotations

from pydantic import Field

from driftwatch.config.parts import Section


class LoggedConfig(Section):
    """The files in which production writes down what it answered."""

    path: str = Field(min_length=1, max_length=1000, description="Where a day's files lie.")
