"""What the artifacts have in common: numbers, times, verdicts, and shares with their intervals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema, core_schema

from driftwatch.artifacts.base import Part


class _EitherNumber:
    """A whole number stays whole: if the file says 1 and not 1.0, it says 1 when it is written again."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds: list[CoreSchema | tuple[CoreSchema, str]] = [
            core_schema.int_schema(strict=True),
            core_schema.float_schema(strict=True, allow_inf_nan=False),
        ]
        return core_schema.union_schema(
            kinds, custom_error_type="number", custom_error_message="Input should be a finite number"
        )


Number = Annotated[float, _EitherNumber]


def _in_seconds(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


# A moment with its time zone, written to the second: 2026-11-20T06:00:00+00:00.
Time = Annotated[AwareDatetime, PlainSerializer(_in_seconds, return_type=str, when_used="json")]

# The verdict of a drift test, and of one of its features.
DriftVerdict = Literal["drifted", "ok", "not_enough_evidence"]
# The verdict on the model's accuracy.
AccuracyVerdict = Literal["alert", "ok", "not_enough_evidence"]


class Interval(Part):
    """An estimate with its interval at the monitor file's `performance.confidence`; all three are null where it is undefined."""

    value: Number | None
    """The estimate."""
    low: Number | None
    """Lower end of the interval."""
    high: Number | None
    """Upper end of the interval."""

    @property
    def numbers(self) -> tuple[float, float, float] | None:
        """Value, lower and upper end; None where the estimate is undefined."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return self.value, self.low, self.high


class Share(Interval):
    """A share of `n`, between 0 and 1."""

    n: int
    """What the share is of: images or labels."""
    reason: str | None = None
    """Why the share is undefined; absent where it is defined."""


class WeightedShare(Share):
    """A share whose interval rests on another number of labels than were given."""

    effective_n: Number | None
    """How many labels of a plain random sample would say as much; null where the share is undefined."""


class JudgedAccuracy(WeightedShare):
    """What the verdict rests on."""

    kind: Literal["corrected", "measured"]
    """corrected for wrong labels, or the agreement with them."""
    days: int
    """Days that were judged together."""
