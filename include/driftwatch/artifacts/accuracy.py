"""The model's accuracy: the estimate before there are labels (estimate.json), and the day's verdict (performance.json)."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field, JsonValue

from driftwatch.artifacts.base import DayArtifact, Part
from driftwatch.artifacts.evidence import EvidenceSums
from driftwatch.artifacts.label_table import TableCheck, TableTruth
from driftwatch.artifacts.parts import AccuracyVerdict, Interval, JudgedAccuracy, Number, Share, WeightedShare
from driftwatch.artifacts.rules import CountedDay, PolicyRules
from driftwatch.artifacts.segment_accuracy import SegmentAccuracy, Slice
from driftwatch.artifacts.versions import VersionAccuracy, VersionEstimate

# How large the loss is that an alert is about.
Severity = Literal["critical", "warning"]


class ClassMetrics(Part):
    """How right the model is on one class."""

    precision: Share
    """Of the images that it answers as this class, the share that is of this class."""
    recall: Share
    """Of the images of this class, the share that it answers as this class."""
    f1: Share
    """Harmonic mean of precision and recall."""
    support: int
    """Images of the class."""


class ConfusionMatrix(Part):
    """What the model answers for images of each class."""

    labels: tuple[str, ...]
    """The classes, in the order of rows and columns."""
    rows: tuple[tuple[int, ...], ...]
    """[class, answer]: images."""


class Metrics(Part):
    """The model against the labels of a random sample."""

    accuracy: Share
    """The share of right answers."""
    classes: dict[str, ClassMetrics]
    """By class."""
    confusion_matrix: ConfusionMatrix
    """By class and answer."""


class PredictionsMoved(Part):
    """Whether the model answers the classes in other shares than on its holdout."""

    day: dict[str, Number]
    """Shares of the day, by class."""
    holdout: dict[str, Number]
    """Shares of the holdout, by class."""
    p_value: Number
    """The p-value of the chi-squared test."""
    moved: bool
    """Whether that p-value is below one in a thousand."""


class HoldoutScores(Part):
    """What the estimate is checked against."""

    mean_score: Number | None
    """The mean score of the model's answers on its holdout; null for a model of an early Driftwatch."""
    n: int
    """Images of the holdout."""


class Estimate(DayArtifact):
    """estimate.json: the accuracy as the model's own scores estimate it, before anybody has labelled an image."""

    file = "estimate.json"

    day: datetime.date
    """The run's own date, UTC."""
    model_version: str
    """The version that the day is judged by."""
    accuracy: Share
    """The estimated accuracy; null with a reason if there are no images, no scores or no holdout."""
    mean_score: Number | None
    """The mean score of the day's answers; null without images or scores."""
    holdout: HoldoutScores
    """The same of the holdout."""
    answers: PredictionsMoved | None
    """Null without images, or where the card has no confusion matrix. Driftwatch reads it nowhere, and takes the drift of the predictions
    from content_drift.json. It is kept so that the file has the form that it always had, for whoever reads estimate.json by a program."""
    serving_version: str | None = None
    """Production's own version that these numbers are about; absent where the registered model itself answered."""
    versions: tuple[VersionEstimate, ...] = ()
    """The same of each version, that of the numbers above first; absent where one version answered."""


class LabelAgreement(Part):
    """How much to trust the labels."""

    alpha: Number | None
    """Krippendorff's alpha, a measure of agreement: 1 is full agreement, 0 is chance; null where undefined."""
    unanimous: Number | None
    """Share of the labels on which all votes agree; null without a label."""
    votes: int
    """Votes on images of the sample."""
    control_answers: int
    """Answers to control tasks."""
    control_right: int
    """Those of them that are right."""
    annotators: int
    """Annotators of the day."""
    flagged: int
    """Those of them whose answers look like guessing."""


class Revision(Part):
    """An earlier result of a day that was scored again."""

    revision: int
    """From 1."""
    verdict: AccuracyVerdict
    """The verdict then."""
    accuracy: Number | None
    """The measured accuracy then."""
    labels: int
    """The labels then."""
    model_version: str
    """The version then that the verdict was about."""


class StandsFor(Part):
    """The images of a day for which its labels stand, where some came late and nobody was asked about any of those."""

    images: int
    """From how many the sample, with its supplements, was drawn."""
    of: int
    """How many the day has."""
    reason: str
    """Why nobody was asked about the others, and what would change it."""


class Performance(Metrics, DayArtifact):
    """performance.json: the day's labels against the model's answers, and the verdict.

    sampled = consensus + ties + unclear + unanswered. Fields that may be absent were not yet written by an early Driftwatch. Where several
    versions answered, the numbers are those of the serving version: accuracy, classes, matrix, labels, verdict, evidence. Only the counts of
    the sample, and what people did, are the whole day's.
    """

    file = "performance.json"

    day: datetime.date
    """The run's own date, UTC."""
    model_version: str
    """The registered version: its classes and its holdout count."""
    merged_by: str = "majority"
    """`labels.consensus` when the labels were merged."""
    on_tie: str
    """`labels.on_tie` then."""
    confidence: Number
    """Of every interval."""
    floor: Number
    """`performance.floor` then."""
    holdout_accuracy: Share
    """The model's on its holdout."""
    agreement: LabelAgreement
    """How much to trust the labels."""
    sampled: int
    """Images that were asked about."""
    labels: int
    """Those that are scored."""
    consensus: int
    """Images on which one answer won."""
    ties: int
    """Images on which several answers tie."""
    unclear: int
    """Images that most found unclear."""
    unanswered: int
    """Images without an answer."""
    verdict: AccuracyVerdict
    """By the rules of `performance.policy`."""
    severity: Severity | None = None
    """Null unless the verdict is an alert."""
    reasons: tuple[str, ...] = ()
    """Why, in words."""
    policy: PolicyRules = Field(default_factory=PolicyRules)
    """What each rule found; empty without enough labels."""
    fired: bool = False
    """Whether floor or drop fired, alert or not; of a day with evidence."""
    judged: JudgedAccuracy | None = None
    """What the verdict rests on: the day, or some days together."""
    corrected: WeightedShare | None = None
    """The day's accuracy without the labels' own errors."""
    label_error: Interval | None = None
    """The share of wrong labels; null where nothing tells it."""
    effective_labels: Number | None = None
    """What labels and scores are worth, in labels of a plain sample."""
    pooled_days: tuple[datetime.date, ...] = ()
    """The days that were judged together."""
    usual: Number | None = None
    """The least agreement of a model as good as on its holdout; null without the rule trend."""
    counted: CountedDay | None = None
    """What the day says to below_floor and worse; absent if an early Driftwatch judged it, and without a label that says something of other
    images."""
    estimated: Share | None = None
    """The accuracy of estimate.json; null where there is none."""
    evidence: EvidenceSums | None = None
    """Counts and sums, which later days add up."""
    content_hash: str | None = None
    """Tells one performance profile from another; absent without a label."""
    revisions: tuple[Revision, ...] = ()
    """Earlier results of the day, oldest first."""
    serving_version: str | None = None
    """Production's own version that the verdict is about; absent where the registered model itself answered."""
    versions: tuple[VersionAccuracy, ...] = ()
    """Each version that answered, the serving one first; absent where one version answered."""
    unpredicted: int | None = None
    """Labelled images that production did not answer, so that they are not scored; absent where there are none."""
    truth: TableTruth | None = None
    """The table from which the labels come; absent where people labelled the images."""
    table_check: TableCheck | None = None
    """What people say of that table; absent where they were not asked, and until they have answered."""
    stands_for: StandsFor | None = None
    """For which images the labels stand; absent where they stand for the whole day."""

    segments: tuple[SegmentAccuracy, ...] = ()
    """Each segment that has a label, the worst first; absent where the monitor has no segments."""
    slices: tuple[Slice, ...] = ()
    """Where the model is wrong most often, though nobody named it; absent where no slice is told."""
    own_verdict: AccuracyVerdict | None = None
    """What the day as a whole says, where an alert of a segment made `verdict` an alert; absent elsewhere."""
    not_covered: int | None = None
    """Images of the day in strata without a label: no number says anything of them; absent where there are none."""


AnalysisVerdict = Literal["ok", "alert", "not_enough_evidence", "not_analysed"]


class WhyLabsAnalysis(DayArtifact):
    """whylabs.json: what WhyLabs' accuracy monitors said about the day, where `publish.alert_source` asks them."""

    file = "whylabs.json"

    verdict: AnalysisVerdict
    """By all rows together."""
    reasons: tuple[str, ...]
    """Why, in words."""
    rows: tuple[dict[str, JsonValue], ...]
    """The results that it rests on, as WhyLabs gives them: their fields are WhyLabs' own."""
