"""Why WhyLabs' accuracy monitors judge a day as they do, in words: the `reasons` of whylabs.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftwatch.publish.whylabs.analysis import Findings, Result


def reasons(found: Findings) -> list[str]:
    """What the verdict rests on. For an `ok`, it also says which analyzer could not judge."""
    if found.verdict == "alert":
        return [_too_low(one) for one in found.results if one.is_too_low]
    if found.verdict == "not_analysed":
        other = [_other_data(one, found.accuracy) for one in found.results if not one.is_about(found.accuracy)]
        return other or [f"{name} has no result for {found.day}" for name in found.missing]
    failures = [f"{one.analyzer} gave no judgement: {one.failure}" for one in found.results if one.failure is not None]
    return failures if found.verdict == "not_enough_evidence" else [_calm(found.accuracy), *failures]


def _calm(accuracy: float) -> str:
    return f"no anomaly in an accuracy of {accuracy:.3f}"


def _too_low(found: Result) -> str:
    limit = f" is below {found.lower:.3f}" if found.lower is not None else " is an anomaly"
    return f"WhyLabs' {found.analyzer}: accuracy {found.value:.3f}{limit}."


def _other_data(found: Result, accuracy: float) -> str:
    return (
        f"{found.analyzer} judged an accuracy of {found.value:.4f}, and {accuracy:.4f} was uploaded:"
        " an earlier analysis, or something else writes to the day"
    )
