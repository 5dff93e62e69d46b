"""The day's drift: of image quality (drift.json), and of content and predictions (content_drift.json)."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from driftwatch.artifacts.base import DayArtifact, Part
from driftwatch.artifacts.parts import DriftVerdict, Number
from driftwatch.artifacts.reference import Mute
from driftwatch.artifacts.segments import SegmentDrift, SegmentStatus

TRAINING = "training"  # the state that is the model's training data
TRAILING, DAYS = "trailing", "days"  # those of `reference.baseline`
BASELINES = (TRAINING, TRAILING, DAYS)


class FeatureDrift(Part):
    """One feature of the day against the reference."""

    feature: str
    """The feature's column in features.parquet, or a component of the embeddings."""
    test: str
    """The test with the highest score: ks, shift, low_tail or high_tail; empty without enough evidence."""
    statistic: Number | None
    """That score, -log10(p)."""
    effect: Number | None
    """Kolmogorov-Smirnov distance, 0 to 1."""
    shift: Number | None
    """By how much the median moved, in the reference's standard deviations by IQR."""
    direction: str
    """up, down, or none where a constant stays."""
    p_value: Number | None
    """Adjusted for all features and tests."""
    verdict: DriftVerdict
    """Whether the feature drifted, by the test's false-alarm rate. ok also where it differs and is `silenced`."""
    silenced: Literal["small", "muted"] | None = None
    """Why a difference that was detected does not alarm: smaller than `profiling.min_effect`, or muted. Absent where it alarms, or where
    there is none."""
    reference_quantiles: tuple[Number, ...]
    """The reference's 5, 25, 50, 75 and 95 %."""
    day_quantiles: tuple[Number, ...]
    """The same of the day; empty without an image."""


class ComparedState(Part):
    """One accepted state that the day was tested against."""

    name: str
    """The state's name."""
    verdict: DriftVerdict
    """Whether the day differs from it."""
    p_value: Number | None
    """The chance of so large a difference from it without drift; null without enough evidence."""


class DriftTest(Part):
    """The outcome of a drift test at one false-alarm rate. With several accepted states: against the nearest one."""

    verdict: DriftVerdict
    """drifted where the p-value is no more than the false-alarm rate, for every state, and the difference is neither small nor muted."""
    state: str | None = None
    """The accepted state that the day is like: `training` for the training data. Null where it is like none, or without enough evidence;
    absent on a day of an early Driftwatch."""
    nearest: str | None = None
    """The state that the numbers are against; absent where the training data is the only one."""
    states: tuple[ComparedState, ...] = ()
    """Every state that the day was tested against; absent where the training data is the only one."""
    p_value: Number | None
    """The chance of so large a difference without drift; null without enough evidence."""
    false_alarm_rate: Number
    """How often a day without drift may be called drifted."""
    n: int
    """Images that the test is about: those of the day, or a random sample of them."""
    of_images: int | None = None
    """Images of the day, where the test is about a random sample of them; absent where it is about all."""
    effective_n: int = Field(default_factory=lambda known: known["n"])
    """How many independent images they are worth; absent if an early Driftwatch counted each image as independent."""

    @property
    def like(self) -> str | None:
        """`state`, also of a day of an early Driftwatch, which knew only the training data."""
        return TRAINING if self.verdict == "ok" and "state" not in self.model_fields_set else self.state

    @property
    def said(self) -> str:
        """The p-value and what it is about: `p = 0.31, 100,000 of 3,000,000 images`."""
        of = "" if self.of_images is None else f" of {self.of_images:,}"
        return f"p = {self.p_value if self.p_value is None else f'{self.p_value:.3g}'}, {self.n:,}{of} images"


class FeaturesTest(DriftTest):
    """The test of all features together."""

    reference_of_mix: int | None = None
    """If the day's mix of classes differs: with how many reference images it was compared. Null or absent if with all."""
    score: Number | None
    """The largest score over features and tests."""
    drifted_features: tuple[str, ...]
    """Names of the drifted features, strongest first."""
    quantiles: tuple[Number, ...]
    """Which quantiles the features have."""
    features: tuple[FeatureDrift, ...]
    """Every feature, strongest first."""


class DriftTrend(Part):
    """Slow drift over the days of one reference, up to the day, by CUSUM charts: they add up small daily differences."""

    verdict: DriftVerdict
    """drifted while a chart is alarmed."""
    days: int
    """Days that the charts rest on."""
    score: Number | None
    """Height of the highest chart; null with too few days."""
    limit: Number | None
    """Height at which a chart is alarmed; null with too few days."""
    false_alarms_per_year: Number
    """How many alarms a year without drift may raise."""
    feature: str | None
    """The feature of the highest chart; null while it is at 0."""
    direction: str | None
    """up or down; null while the chart is at 0."""
    since: datetime.date | None
    """The first day of that chart's rise; null while it is at 0."""
    crossed: bool
    """Whether the alarm is new on the day."""


class DayDrift(FeaturesTest, DayArtifact):
    """drift.json: the day's image quality against the reference of its model."""

    file = "drift.json"

    day: datetime.date
    """The run's own date, UTC."""
    reference_version: str
    """The model version whose reference it is."""
    day_false_alarm_rate: Number = Field(default_factory=lambda known: known["false_alarm_rate"])
    """The false-alarm rate of all kinds of drift together; absent if an early Driftwatch knew only one kind."""
    examples: tuple[str, ...]
    """Ids of the images that lie furthest in the direction of the drift."""
    hellinger: dict[str, Number] = Field(default_factory=dict)
    """The distance that WhyLabs would show, by feature, 0 to 1."""
    content_hash: str | None = None
    """Tells the values in the day's profile from others, where the day is judged by a random sample; else absent."""
    day_scores: dict[str, Number] | None = None
    """Mean normal score by feature, which the trend adds up; null where the day has drifted or has too few images."""
    trend: DriftTrend | None = None
    """Absent on a day of an early Driftwatch."""
    mutes: tuple[Mute, ...] = ()
    """Features and segments that were muted on the day; absent where none was."""
    baseline_days: tuple[datetime.date, ...] = ()
    """The days that stood for the usual, with `reference.baseline` trailing or days; absent with the training data."""
    whole: DriftVerdict = Field(default_factory=lambda known: known["verdict"])
    """The verdict on the day's images together. `verdict` is drifted also where segments alone drifted; absent without segments."""
    segments: tuple[SegmentDrift, ...] = ()
    """Every segment, those that drifted first; absent where the monitor file names none."""
    segments_rate: Number | None = None
    """How often a day without drift may have any drifted segment; absent where the monitor file names none."""

    def segments_that(self, *status: SegmentStatus) -> tuple[SegmentDrift, ...]:
        """The segments of these statuses, in their order."""
        return tuple(segment for segment in self.segments if segment.status in status)

    @property
    def came_or_went(self) -> bool:
        """Whether any segment is new or missing since this day."""
        return any(segment.since == self.day for segment in self.segments_that("new", "missing"))


class ContentTest(DriftTest):
    """The test of what is photographed, by the components of the embeddings. Some fields are absent where no test was made."""

    by: Literal["gist"] | None = None
    """gist: GIST takes the place of the embeddings; else absent."""
    reason: str | None = None
    """Why there is not enough evidence; absent where there is."""
    reference_of_mix: int | None = None
    """As in drift.json."""
    score: Number | None = None
    """As in drift.json."""
    drifted_features: tuple[str, ...] = ()
    """As in drift.json."""
    quantiles: tuple[Number, ...] = ()
    """As in drift.json."""
    features: tuple[FeatureDrift, ...]
    """Each component, `distance` and `residual`, strongest first."""
    examples: tuple[str, ...]
    """Ids of the images that lie furthest in the direction of the drift."""


class ClassShare(Part):
    """How often the model answers one class."""

    name: str
    """The class."""
    reference: Number
    """Its share of the answers on images like those that the model was made for."""
    day: Number | None
    """Its share of the day's answers; null without an image."""


class PredictionsTest(DriftTest):
    """The test of the shares of the predicted classes."""

    reason: str | None = None
    """Why there is not enough evidence; absent where there is."""
    effect: Number | None
    """Total variation distance, 0 to 1; null without a test."""
    silenced: Literal["small"] | None = None
    """small: the shares differ, by less than `profiling.min_effect`; else absent."""
    classes: tuple[ClassShare, ...]
    """Each class, in the monitor file's order; empty where the model has no reference."""


class VersionPredictions(PredictionsTest):
    """The same test of one model version, where several answered the day. Together these raise no more false alarms than the day's."""

    of_images: int | None = None
    """Images of the day that the version answered, where the test is about those of a random sample; else absent."""
    version: str
    """Production's own name of it."""


class ContentDrift(DayArtifact):
    """content_drift.json: what is known once the model has answered."""

    file = "content_drift.json"

    day: datetime.date
    """The run's own date, UTC."""
    reference_version: str
    """The model version whose reference it is."""
    reference_images: int
    """Held-out images in the reference; 0 where it has none."""
    day_false_alarm_rate: Number
    """The rate of all kinds of drift together."""
    content: ContentTest
    """What is photographed."""
    predictions: PredictionsTest
    """The predicted classes."""
    versions: tuple[VersionPredictions, ...] = ()
    """Those of each model version, the serving one first; absent where one version answered."""
    segments: tuple[SegmentDrift, ...] = ()
    """Content and predictions of every segment, those that drifted first; absent where the monitor file names none."""
    segments_rates: dict[str, Number] = Field(default_factory=dict)
    """For content and for predictions: how often a day without drift may have any drifted segment; absent where there are no segments."""

    def segments_that(self, *status: SegmentStatus) -> tuple[SegmentDrift, ...]:
        """The segments of these statuses, of both kinds, in their order."""
        return tuple(segment for segment in self.segments if segment.status in status)

    @property
    def is_of_sample(self) -> bool:
        """Whether the day is judged by a random sample of its images."""
        return self.predictions.of_images is not None

    @property
    def drifted(self) -> bool:
        """Whether content or predictions drifted, those of the day or of a segment."""
        return "drifted" in (self.content.verdict, self.predictions.verdict) or bool(self.segments_that("drifted"))
