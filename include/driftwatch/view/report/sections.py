"""What each section of the report shows, as plain values for the template."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from driftwatch.artifacts.accuracy import Performance
from driftwatch.config.labels import TABLE
from driftwatch.view import charts, tones
from driftwatch.view.answers import log_rows
from driftwatch.view.confusions import ConfusionTable, confusions
from driftwatch.view.drift_words import KINDS, FeatureRow, feature_rows, sample
from driftwatch.view.expected import recheck_rows
from driftwatch.view.label_table import sampled_line, still_open
from driftwatch.view.numbers import p_text, percent
from driftwatch.view.report.facts import DayFacts
from driftwatch.view.report.labelling_section import agreement_text
from driftwatch.view.segments import segments_note
from driftwatch.view.shares import ShownShare, shown, whole_percent
from driftwatch.view.versions import VersionRow, Versions, scored, unpredicted, versions
from driftwatch.view.what_now import status
from driftwatch.view.words import count, listing

MOST_OVER_TIME, MOST_VERSIONS = 4, 6


@dataclass(frozen=True)
class Badge:
    """A verdict on the top of the report."""

    tone: str
    text: str


@dataclass(frozen=True)
class Number:
    """One of the big numbers."""

    name: str
    value: str
    note: str
    tone: str = ""


@dataclass(frozen=True)
class Summary:
    """The headline, the two verdicts and what else there is to say as badges, the day's worst tone, and the big numbers."""

    headline: str
    badges: list[Badge]
    tone: str
    numbers: list[Number]


def summary(facts: DayFacts) -> Summary:
    """The top of the report."""
    return Summary(
        headline=status(facts.as_day),
        badges=_badges(facts),
        tone=facts.as_day.tone,
        numbers=[
            _accuracy_number(facts),
            _drift_number(facts),
            _images_number(facts),
            *([_labels_number(facts)] if facts.config.labels.labelled or facts.performance else []),
        ],
    )


def _badges(facts: DayFacts) -> list[Badge]:
    badges = [Badge(tones.BAD, f"Failed at {facts.failure.task}")] if facts.failure else []
    images = tones.of_drift(facts.drift.verdict if facts.drift else None)
    model = facts.as_day.model_verdict
    badges.append(Badge(images.tone, f"Images: {images.word}"))
    badges += [Badge(model.tone, f"Model: {model.word}")] if model else []
    changed = tones.of_drift("drifted")
    badges += [Badge(changed.tone, f"{KINDS[name]}: {changed.word}") for name in facts.as_day.other_drift]
    late = facts.ingest.late + (facts.late_files.files if facts.late_files else 0)
    if late:
        badges.append(Badge(tones.WARN, f"{count(late, 'image')} came late"))
    return badges


def _accuracy_number(facts: DayFacts) -> Number:
    performance, labelled = facts.performance, facts.config.labels.labelled
    if performance is None:
        guess = shown(facts.estimate.accuracy) if facts.estimate else None
        if facts.estimate is None or facts.estimate.accuracy.value is None or guess is None:
            return Number("Accuracy", "–", "known once the labels are in" if labelled else "no labels, so unknown")
        about = whole_percent(facts.estimate.accuracy.value)
        return Number("Accuracy", f"≈ {about}", f"{guess.note} by the scores, no labels{' yet' if labelled else ''}")
    said = shown(performance.accuracy)
    if performance.accuracy.value is None:
        return Number("Accuracy", said.text, said.note, tones.UNSURE)
    of_version = f" · version {performance.serving_version}" if performance.versions else ""
    floor = f"{said.note} · floor {percent(performance.floor)}{of_version}"
    return Number("Accuracy", said.text, floor, tones.of_model(performance.verdict, facts.as_day.standing).tone)


def _drift_number(facts: DayFacts) -> Number:
    drift = facts.drift
    if drift is None:
        return Number("Features that moved", "–", "not tested yet")
    if drift.p_value is None:
        return Number("Features that moved", "–", f"{sample(drift)}: too few", tones.UNSURE)
    if segments := drift.segments_that("drifted"):
        there = sum(row.images > 0 for row in drift.segments)
        return Number("Segments that changed", f"{len(segments)} of {there}", segments_note(drift), tones.WARN)
    note = f"{p_text(drift.p_value)} · alarm below {drift.false_alarm_rate:g}"
    moved = f"{len(drift.drifted_features)} of {len(drift.features)}"
    return Number("Features that moved", moved, note, tones.of_drift(drift.verdict).tone)


def _images_number(facts: DayFacts) -> Number:
    ingest = facts.ingest
    ignored = f" · {ingest.ignored:,} ignored" if ingest.ignored else ""
    note = f"{ingest.listed:,} listed · {ingest.duplicate:,} duplicate · {ingest.quarantined:,} quarantined{ignored}"
    return Number("Images accepted", f"{ingest.accepted:,}", note)


def _labels_number(facts: DayFacts) -> Number:
    if facts.performance is None:
        if facts.config.labels.backend == TABLE:
            return Number("Labels", "–", "the table is waited for")
        asked = f"{count(len(facts.annotation.asked_about), 'image')} asked about" if facts.annotation else None
        return Number("Labels", "–", asked or "not asked for yet")
    if facts.performance.truth:
        truth = facts.performance.truth
        whole = "" if truth.of_images is None else f"of a sample of {truth.of_images:,} images, "
        note = f"{whole}from a table; {still_open(truth)}"
        return Number("Labels", f"{facts.performance.labels} of {truth.images}", note)
    note = agreement_text(facts.performance.agreement, "agreement α", "agreement not defined")
    if facts.performance.versions:
        others = sum(row.labels for row in facts.performance.versions[1:])
        note = f"{note} · {others} of other versions"
    return Number("Labels", f"{facts.performance.labels} of {facts.performance.sampled}", note)


def features(facts: DayFacts) -> list[tuple[FeatureRow, Markup]]:
    """The features in the order of drift.json, the strongest first, each with its bands."""
    if facts.drift is None:
        return []
    rows = []
    for row, found in zip(feature_rows(facts.drift), facts.drift.features, strict=True):
        both = found.reference_quantiles and found.day_quantiles
        chart = charts.bands(found.reference_quantiles, found.day_quantiles, row.moved) if both else Markup("")
        rows.append((row, chart))
    return rows


def history(facts: DayFacts) -> Markup:
    """The chart of the last days; empty before anything was measured or tested."""
    labelled = facts.config.labels.labelled
    known = [past for past in facts.history if (past.drift and labelled) or past.performance]
    floor = facts.performance.floor if facts.performance else facts.config.performance.floor
    return charts.history(facts.series, floor) if known else Markup("")


def over_time(facts: DayFacts) -> list[tuple[FeatureRow, Markup]]:
    """The features that moved, each over the last days, the strongest first. If none moved, the strongest one."""
    rows = feature_rows(facts.drift) if facts.drift else []
    tested = [row for row in rows if row.verdict.tone != tones.WAITING]
    moved = [row for row in tested if row.moved]
    days = facts.series
    return [(row, charts.over_time(days, days.features[row.column])) for row in (moved or tested[:1])[:MOST_OVER_TIME]]


@dataclass(frozen=True)
class ClassRow:
    """A class: how many labelled images it has; precision, recall and F1, each with its bar."""

    name: str
    support: int
    shares: tuple[tuple[ShownShare, Markup], ...]


@dataclass(frozen=True)
class ModelSection:
    """How the model did: its classes in the monitor file's order, what was confused with what, why the verdict, and its holdout; `scored`:
    which labelled images count, and `unpredicted`, which have no answer; `sampled`: how many images have a label, and what became of the
    others; `weighed`: what the counts of the matrix are, where they are not those of the labels."""

    classes: list[ClassRow]
    confusions: ConfusionTable
    reasons: tuple[str, ...]
    holdout: str
    sampled: str
    scored: str
    unpredicted: str
    weighed: str


_WEIGHED = (
    "The sample prefers rare classes and unsure answers, and every share reckons with that. These counts are as a plain sample of as many labels would "
    "have them; the column Labels counts the labels that there are."
)


def performance(facts: DayFacts) -> ModelSection | None:
    """How the model did. None before the labels are in."""
    found = facts.performance
    if found is None:
        return None
    held = found.holdout_accuracy.value
    return ModelSection(
        classes=[_class_row(found, name) for name in found.confusion_matrix.labels],
        confusions=confusions(found.confusion_matrix),
        reasons=found.reasons,
        holdout=percent(held) if held is not None else "unknown",
        sampled=sampled_line(found),
        scored=scored(found),
        unpredicted=unpredicted(found),
        weighed=_WEIGHED if found.evidence is not None and found.evidence.strata else "",
    )


@dataclass(frozen=True)
class VersionsSection:
    """The model versions of the day, each with the bar of its accuracy; the first MOST_VERSIONS, and how many are `hidden`."""

    found: Versions
    rows: list[tuple[VersionRow, Markup]]
    hidden: int


def by_version(facts: DayFacts) -> VersionsSection | None:
    """The versions of the day side by side; None where one answered."""
    found = versions(facts.performance, facts.content_drift, facts.estimate)
    if found is None:
        return None
    rows = [(row, charts.interval_bar(row.share) if row.share else Markup("")) for row in found.rows[:MOST_VERSIONS]]
    return VersionsSection(found, rows, len(found.rows) - len(rows))


def _class_row(found: Performance, name: str) -> ClassRow:
    values = found.classes[name]
    shares = tuple((shown(share), charts.interval_bar(share)) for share in (values.precision, values.recall, values.f1))
    return ClassRow(name, values.support, shares)


def model(facts: DayFacts) -> list[tuple[str, str]]:
    """Which model judged the day, where it comes from, and what it answered."""
    rows = [("Version", facts.ingest.model_version)]
    if facts.as_day.serving:
        rows.append(("Production's own version", facts.as_day.serving))
    if facts.card:
        held = facts.card.metrics.holdout
        parent = f", after {facts.card.parent}" if facts.card.parent else ""
        rows.append(("Comes from", f"{facts.card.created_by}{parent}"))
        rows.append(("On its holdout", f"{shown(held.accuracy).text} of {count(held.n, 'image')}"))
    if answered := facts.answered:
        images = sum(answered.values())
        answers = [f"{name} {whole_percent(answered.get(name, 0) / images)}" for name in facts.config.classes]
        rows.append(("Its answers", f"{listing(answers, 12)} of {count(images, 'image')}"))
    rows += log_rows(facts.answers) + recheck_rows(facts.recheck)
    took_over = [f"{found.day} ({found.version})" for found in facts.series.takeovers]
    if facts.retraining:
        rows.append(("What the alert led to", facts.retraining.said))
        if facts.retraining.state == "promoted":
            took_over.append(f"{facts.retraining.version}, from the retraining of this day")
    rows.append(("New models of these days", listing(took_over, 6)))
    return rows
