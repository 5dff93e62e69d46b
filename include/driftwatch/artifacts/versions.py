"""Several model versions that answered one day, as in a canary or an A/B test: what is known of each, beside the day's own numbers."""

from __future__ import annotations

from typing import Literal

from driftwatch.artifacts.base import Part
from driftwatch.artifacts.evidence import ScoreSums, StratumSums
from driftwatch.artifacts.parts import Interval, JudgedAccuracy, Number, Share

# Whether a version is better or worse than the serving one. not_told_apart: the interval of the difference holds 0.
Finding = Literal["better", "worse", "not_told_apart", "not_enough_evidence"]


class Difference(Interval):
    """The accuracy of a version less that of the serving version, on the same days. The two answered different images."""

    finding: Finding
    """What the interval shows."""
    reason: str | None = None
    """Why there is not enough evidence; absent where there is."""


class VersionEvidence(Part):
    """What the labels and scores of one version say; later days add it up. What people did is the day's own evidence."""

    confusion: tuple[tuple[int, ...], ...]
    """[label, prediction]: labelled images that the version answered."""
    scores: ScoreSums
    """The scores of its answers."""
    strata: tuple[StratumSums, ...] = ()
    """Both by stratum; absent for a plain random sample."""


class VersionAccuracy(Part):
    """One version of performance.json."""

    version: str
    """Production's own name of it."""
    answered: int
    """Images of the day that it answered."""
    labels: int
    """Those of them that are labelled and scored."""
    accuracy: Share
    """The share of right answers among them, as the day's own accuracy."""
    recall: dict[str, Share]
    """Of the images of a class, the share that it answers as the class; only classes with enough labels."""
    judged: JudgedAccuracy | None = None
    """What its comparison rests on, or the verdict for the serving version: by the scores too, and without wrong labels where the day's is.
    Absent with too few labels."""
    difference: Difference | None = None
    """To the serving version; absent for that version itself."""
    evidence: VersionEvidence | None = None
    """Counts and sums; always in the file, and left out where only people look."""


class VersionEstimate(Part):
    """One version of estimate.json."""

    version: str
    """Production's own name of it."""
    accuracy: Share
    """The estimated accuracy; null with a reason without scores or holdout."""
    mean_score: Number | None
    """The mean score of its answers; null without scores."""
