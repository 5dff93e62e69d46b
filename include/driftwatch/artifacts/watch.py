"""What the watch found at a monitor, and when people were told of it (watch.json)."""

from __future__ import annotations

import datetime

from driftwatch.artifacts.base import Artifact, Part
from driftwatch.artifacts.parts import Time


class OpenFinding(Part):
    """Something that is not as it should be, and goes on."""

    kind: str
    """Which kind, as in the monitor file's `notifiers.on`."""
    since: Time
    """When it began, or was first seen."""
    told: Time
    """The look at which there was last something to tell of it."""
    reminders: int
    """How often it was told again since it began."""


class WatchNotes(Artifact):
    """watch.json: how the findings stand after the last look. A monitor without notifiers has none."""

    first: datetime.date
    """The day of the first look. Days before it count as late only if there are stored days before them."""
    findings: tuple[OpenFinding, ...]
    """Those that go on."""
