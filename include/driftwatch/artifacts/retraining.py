"""A retraining's working files: what was asked for, the set, the challenger, and what the gate found."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from driftwatch.artifacts.accuracy import Metrics
from driftwatch.artifacts.base import Artifact, Part
from driftwatch.artifacts.gate_segments import SegmentComparison
from driftwatch.artifacts.parts import Number

Counts = dict[str, dict[str, int]]  # by the first name, then the second


class RetrainingRequest(Artifact):
    """retraining/active.json: the newest request."""

    run_key: str
    """The folder of its files."""
    run_id: str
    """The run of the retraining DAG."""
    day: datetime.date | None = None
    """The day of the alert that asked for it; null for a run by hand."""


class AttachedAlert(Artifact):
    """retraining/<run_key>/alerts/<day>.json: an alert that came while the retraining was under way."""

    day: datetime.date
    """The alert's day."""


class DatasetSummary(Part):
    """How many images a training set has, and of which kinds. The first cards have no agreement, no balance, no mix, and no days by class."""

    images: int
    """All of them."""
    new_labels: int
    """Those that annotators labelled."""
    by_source: Counts
    """By source (original, human) and split."""
    by_class: Counts
    """By class and source."""
    by_day: Counts
    """Human labels by day and split."""
    by_day_and_class: Counts = Field(default_factory=dict)
    """Human labels by day and class."""
    by_agreement: Counts = Field(default_factory=dict)
    """Human labels by class and share of the votes for the label, as 0.67."""
    class_balance: dict[str, Number] = Field(default_factory=dict)
    """Share of each class in the training part."""
    day_mix: dict[str, Number] = Field(default_factory=dict)
    """Share of each day, and of the original set, in the training part."""
    mean_confidence: Number | None = None
    """Of the human labels; null without one."""


class DatasetCard(DatasetSummary, Artifact):
    """retraining/<run_key>/dataset_card.json, beside the set."""

    first_day: datetime.date
    """First day whose labels were taken."""
    last_day: datetime.date
    """Last day."""
    left_out: dict[str, int]
    """Labels that were left out, by the reason."""


class ChallengerNote(Artifact):
    """retraining/<run_key>/challenger.json: the training has ended, or the team's model has come back."""

    version: str
    """The challenger."""
    parent: str
    """The champion that it is compared with."""
    requested_by: str
    """Who or what asked for it."""
    trained_for: str | None = None
    """The run key of the retraining whose set it was trained on; absent where that is this one."""
    after: str | None = None
    """The run key of the comparison before this one, which found too little evidence; absent for a first comparison."""
    day: datetime.date | None = None
    """The last day whose labels this comparison adds; absent for a first comparison."""


class RolesRight(Part):
    """How many images each of the two models has right."""

    champion: int
    """The champion."""
    challenger: int
    """The challenger."""


class Sharpened(Part):
    """The difference of the two models, sharpened by both models' answers to images without a label (driftwatch.models.powered)."""

    images: int
    """Images of the same days that both models answered, labelled or not."""
    labelled_differing: int
    """Labelled images on which the answers differ. No other label tells anything of the difference."""
    share_differing: Number
    """Share of all images on which the answers differ."""
    difference: Number
    """Accuracy of the challenger minus that of the champion."""
    low: Number
    """Its lower bound, one-sided at the level of this look."""
    high: Number
    """Its upper bound, one-sided."""
    p_value: Number
    """Test that the challenger is better, one-sided."""
    error: Number
    """Standard error of the difference."""
    of_folds: int = 0
    """Labelled images that models of folds answered in the challenger's place (`retraining.cross_fit`)."""


class PairedComparison(Part):
    """The two models on the same images. Null without an image."""

    n: int
    """Images."""
    right: RolesRight | None = None
    """Right answers of each; absent in a gate of an early Driftwatch."""
    won: int
    """Images that only the challenger has right."""
    lost: int
    """Images that only the champion has right."""
    difference: Number | None
    """Accuracy of the challenger minus that of the champion."""
    low: Number | None
    """Its lower bound, one-sided at `retraining.gate_confidence`."""
    high: Number | None
    """Its upper bound, one-sided."""
    p_value: Number | None
    """Exact one-sided McNemar test that the challenger is better."""
    sharpened: Sharpened | None = None
    """The same with what images without a label tell; it decides where it is there. Null or absent: the numbers above decide."""

    @property
    def deciding(self) -> PairedComparison | Sharpened:
        """What decides: its `difference`, `low` and `p_value`."""
        return self.sharpened or self

    @property
    def right_of_each(self) -> RolesRight:
        """`right` of a comparison that is made now, which always has it."""
        assert self.right is not None, (
            "only a gate of an early Driftwatch does not say how many images each model has right"
        )
        return self.right


class ClassComparison(PairedComparison):
    """The two models on the clean images of one class."""

    p_value_worse: Number | None = None
    """The chance of so large a loss if no class got worse; absent if an early Driftwatch looked at each class alone."""
    power: Number | None = None
    """The chance that the test sees a class that lost half of its recall; absent if `p_value_worse` is."""


class GatePart(PairedComparison):
    """The two models on one part of the evaluation images."""

    champion: Metrics
    """The champion's metrics."""
    challenger: Metrics
    """The challenger's."""
    repaired: tuple[str, ...]
    """Ids of images that only the challenger has right."""
    broken: tuple[str, ...]
    """Ids of images that only the champion has right."""


class CleanPart(GatePart):
    """The clean images, on which no class may have got worse."""

    by_class: dict[str, ClassComparison] = Field(default_factory=dict)
    """Each class; absent in a gate of an early Driftwatch."""


class GateRules(Part):
    """The settings of `retraining` that the gate used."""

    min_evaluation_labels: int
    """With fewer images of recent days there is not enough evidence."""
    max_clean_drop: Number
    """Loss of accuracy on clean images that must be ruled out."""
    max_class_drop: Number
    """Loss of recall of a class that keeps the champion."""
    gate_confidence: Number
    """Of each test, one-sided. Of the recent days' test it is that of all looks together (`looks`)."""


class Look(Part):
    """One comparison of a challenger that is compared anew as labels come."""

    run_key: str
    """The folder of its run."""
    day: datetime.date
    """The last day whose labels it had."""
    labels: int
    """Evaluation images of the recent days."""
    confidence: Number
    """Of its test that the challenger is better, one-sided. All looks together keep to `retraining.gate_confidence`."""
    clean: int | None = None
    """Evaluation images of the clean part; null in early files."""
    clean_confidence: Number | None = None
    """Of its test that the challenger is not worse there, as `confidence`; null in early files, whose looks had the whole one."""


class GateResult(Artifact):
    """retraining/<run_key>/gate.json, and `gate` of the challenger's card."""

    run_key: str
    """The folder of the retraining."""
    version: str
    """The challenger."""
    champion: str
    """The champion when it was trained."""
    recent_days: tuple[datetime.date, ...]
    """The days on which the challenger must be better."""
    clean_days: tuple[datetime.date, ...]
    """The days on which it must not be worse."""
    decision: Literal["promote", "keep", "not_enough_evidence"]
    """Only promote makes the challenger the champion."""
    reasons: tuple[str, ...]
    """Why, in words."""
    recent: GatePart
    """Where the champion got worse."""
    clean: CleanPart
    """Where it did not: the original holdout and the clean days."""
    rules: GateRules | None = None
    """What the gate went by; absent in a gate of an early Driftwatch."""
    segments: tuple[SegmentComparison, ...] = ()
    """Both models by segment, the worst first; absent where the monitor has no segments."""
    unanswered: int = 0
    """Evaluation images that were left out, since production never answered them, or with a class that is gone; absent where there is none."""
    looks: tuple[Look, ...] = ()
    """The comparisons so far, this one last; absent where there is only one at most."""
    looks_left: int = 0
    """How many more there may be; 0 or absent where the decision is final."""
