"""What can go wrong when a day is published; every message says what to do."""

from __future__ import annotations

from driftwatch.errors import DriftwatchError, NeedsAttention


class PublishConflict(NeedsAttention):
    """The day was published with other content, and the run does not say `revise`."""


class PublishPending(DriftwatchError):
    """The sink is still deleting the day's old revision; the same task, run again, continues where this one stopped."""


class SinkError(DriftwatchError):
    """A sink refused or failed. `uncertain`: what was sent may have arrived all the same."""

    def __init__(self, message: str, uncertain: bool = False) -> None:
        super().__init__(message)
        self.uncertain = uncertain


class KeyAlreadyUsed(SinkError):
    """The idempotency key was used before, and the sink does not say what became of it."""
