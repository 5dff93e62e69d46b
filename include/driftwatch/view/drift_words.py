"""The kinds of drift in words, each with its own verdict: what the camera does, what is photographed, what the model answers, the trend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from driftwatch.artifacts.drift import ContentTest, FeaturesTest
from driftwatch.view import tones
from driftwatch.view.numbers import p_text
from driftwatch.view.shares import p_digits, whole_percent
from driftwatch.view.states import against
from driftwatch.view.words import count, direction, feature_name, listing

if TYPE_CHECKING:
    from driftwatch.artifacts.drift import ContentDrift, DayDrift, DriftTest, DriftTrend, FeatureDrift, PredictionsTest

# What the kinds of drift beside image quality are called where each stands by itself.
KINDS = {"content": "Content", "predictions": "Predictions", "trend": "Trend over days"}
_TESTS = {"ks": "distribution", "shift": "median", "low_tail": "low tail", "high_tail": "high tail"}


@dataclass(frozen=True)
class DriftKind:
    """One kind of drift on a day. `about`: what it looks at; `finding`: what changed, empty where nothing did; `evidence`: its numbers,
    or why there are none."""

    name: str
    about: str
    verdict: tones.Verdict
    finding: str
    evidence: str


def kinds(drift: DayDrift | None, answers: ContentDrift | None) -> list[DriftKind]:
    """Every kind that is known of the day, in the order above."""
    rows = []
    if drift:
        moved = [direction(feature) for feature in drift.features if feature.verdict == "drifted"]
        quality = _kind("Image quality", "pixel features", drift, listing(moved, 3) if moved else quiet_finding(drift))
        rows.append(replace(quality, verdict=tones.of_drift(drift.whole)))
    if answers:
        content, predictions = answers.content, answers.predictions
        about = "GIST, a descriptor of the picture" if content.by else "the model's embedding"
        rows.append(_kind(KINDS["content"], about, content, content_finding(content), content.reason))
        said = shares(predictions)
        rows.append(_kind(KINDS["predictions"], "shares of the classes", predictions, said, predictions.reason))
    if drift and drift.trend:
        verdict, finding = tones.of_drift(drift.trend.verdict), trend_finding(drift.trend)
        rows.append(DriftKind(KINDS["trend"], "slow changes", verdict, finding, trend_evidence(drift.trend)))
    return rows


def _kind(name: str, about: str, found: DriftTest, finding: str, reason: str | None = None) -> DriftKind:
    """`reason`: why there is not enough evidence, where the test says so."""
    return DriftKind(name, about, tones.of_drift(found.verdict), finding, evidence(found) or reason or "")


def evidence(found: DriftTest) -> str:
    """The p-value and the false-alarm rate that decided; empty without a test."""
    if found.p_value is None:
        return ""
    return f"{p_text(found.p_value)}, alarm below {found.false_alarm_rate:.2g}{of_mix(found)}{against(found)}"


def quiet_finding(drift: DayDrift) -> str:
    """What differs and does not alarm: `detected, small: darker`, `muted: less sharp`. Empty where nothing does."""
    said = {"small": "detected, small", "muted": "muted"}
    found = {why: [direction(row) for row in drift.features if row.silenced == why] for why in said}
    return "; ".join(f"{said[why]}: {listing(looks, 3)}" for why, looks in found.items() if looks)


def mute_lines(drift: DayDrift) -> list[str]:
    """What is muted on the day, until when, and why."""
    return [f"{feature_name(mute.name)} until {mute.until}, by {mute.by}: {mute.reason}" for mute in drift.mutes]


def content_finding(content: ContentTest) -> str:
    """What moved in the embedding, in words; empty where nothing did."""
    if content.verdict != "drifted":
        return "detected, small" if any(feature.silenced for feature in content.features) else ""
    moved = {feature.feature: feature.direction for feature in content.features if feature.verdict == "drifted"}
    if moved.get("distance") == "up" or moved.get("residual") == "up":
        return "images unlike those that the model was tested on"
    return "its classes look other than where the model was tested"


def shares(predictions: PredictionsTest) -> str:
    """`dog 50 % → 11 %`, the largest changes first; empty without an image."""
    known = [(row.name, row.reference, row.day) for row in predictions.classes if row.day is not None]
    known.sort(key=lambda row: -abs(row[2] - row[1]))
    said = [f"{name} {whole_percent(usual)} → {whole_percent(day)}" for name, usual, day in known]
    small = "detected, small: " if predictions.silenced else ""
    return small + listing(said, 3) if said else ""


def trend_finding(found: DriftTrend) -> str:
    """Which feature drifts slowly, and since when. Empty if none does."""
    if found.verdict != "drifted" or found.feature is None:
        return ""
    rising = "rises" if found.direction == "up" else "falls"
    return f"{feature_name(found.feature)} {rising} slowly, about since {found.since}"


def trend_evidence(found: DriftTrend) -> str:
    """The height of the chart that decided, or how many days are missing."""
    if found.score is None:
        return f"{count(found.days, 'day')} without an alarm so far; 7 are needed"
    rate = found.false_alarms_per_year
    return f"CUSUM {found.score:.1f}, alarm above {found.limit:.1f}; {rate:g} false alarms a year at most"


def of_mix(found: DriftTest) -> str:
    """If the day's mix of classes differs: with how much of the reference it was compared. Else empty."""
    images = found.reference_of_mix if isinstance(found, (FeaturesTest, ContentTest)) else None
    return f", against the {count(images, 'reference image')} that have the day's mix of classes" if images else ""


def sample(found: DriftTest) -> str:
    """`100 images, worth 61 independent ones (bursts or groups)`, or the plain count; of a large day also what these are a sample of."""
    images = count(found.n, "image")
    if found.of_images is not None:
        images = f"{images}, a random sample of the day's {found.of_images:,}"
    if found.effective_n == found.n:
        return images
    return f"{images}, worth {found.effective_n:,} independent ones (bursts or groups)"


@dataclass(frozen=True)
class FeatureRow:
    """One feature of a day. `looks`: what its change looks like in the pictures; empty where it did not move, or does not alarm."""

    column: str
    name: str
    moved: bool
    verdict: tones.Verdict
    looks: str
    test: str
    effect: str
    hellinger: str
    p: str


def feature_rows(drift: DayDrift) -> list[FeatureRow]:
    """The features in the order of drift.json, the strongest first."""
    return [_feature_row(feature, drift) for feature in drift.features]


def _feature_row(feature: FeatureDrift, drift: DayDrift) -> FeatureRow:
    moved, tested = feature.verdict == "drifted", feature.p_value is not None
    return FeatureRow(
        column=feature.feature,
        name=feature_name(feature.feature),
        moved=moved,
        verdict=tones.of_feature(moved, tested, feature.silenced),
        looks=direction(feature) if moved else "",
        test=_TESTS.get(feature.test, feature.test) if tested else "–",
        effect=_two_digits(feature.effect),
        hellinger=_two_digits(drift.hellinger.get(feature.feature)),
        p=p_digits(feature.p_value),
    )


def _two_digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
