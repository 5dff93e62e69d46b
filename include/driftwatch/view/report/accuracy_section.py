"""The day's accuracy in every way in which it is known, and how far one can trust each. Also late images, and days whose verdict changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from driftwatch.accuracy.history import verdict_changed
from driftwatch.artifacts.drift import ClassShare
from driftwatch.artifacts.parts import AccuracyVerdict, Share
from driftwatch.models.metrics import in_order
from driftwatch.view import charts, tones
from driftwatch.view.numbers import percent
from driftwatch.view.report.facts import DayFacts
from driftwatch.view.shares import share_text, shown, whole_percent
from driftwatch.view.words import count, listing

_MOST_NAMED = 6


@dataclass(frozen=True)
class Way:
    """One way in which the accuracy is known."""

    name: str
    text: str
    note: str
    chart: Markup


def ways(facts: DayFacts) -> list[Way]:
    """The ways in which the day's accuracy is known, the surest first."""
    found = facts.performance
    rows = []
    if found:
        rows.append(_way("Agreement with the labels", found.accuracy, f"on {count(found.labels, 'label')}"))
    if found and found.corrected:
        note = f"{share_text(found.label_error)} of the labels are wrong" if found.label_error else ""
        rows.append(_way("Corrected for wrong labels", found.corrected, note))
        if found.judged and found.judged.days > 1:
            named = listing([day.isoformat() for day in found.pooled_days], 7)
            rows.append(_way("Judged, days together", found.judged, f"{count(found.judged.n, 'label')} of {named}"))
    if facts.estimate:
        note, taken = "an estimate from the morning on, without labels", facts.ingest
        if taken.judged is not None:
            note += f", from a random sample of {taken.judged:,} of the day's {taken.accepted:,} images"
        rows.append(_way("By the scores alone", facts.estimate.accuracy, note))
    return rows


def _way(name: str, share: Share, note: str) -> Way:
    said = shown(share)
    if share.value is None:
        return Way(name, said.text, said.note, Markup(""))
    return Way(name, said.both, note, charts.interval_bar(share))


def trust(facts: DayFacts) -> list[str]:
    """What to believe of the estimate from scores, the most telling first."""
    if not facts.estimate or facts.estimate.accuracy.value is None:
        return []
    found = []
    predictions = facts.content_drift.predictions if facts.content_drift else None
    if predictions and predictions.verdict == "drifted":
        moved = _moved_most(predictions.classes, facts.config.classes)
        said = [f"{row.name} {whole_percent(day)}" for row, day in moved]
        usual = [f"{row.name} {whole_percent(row.reference)}" for row, _ in moved]
        found.append(
            f"Do not trust the estimate from scores today: the model answers {listing(said, _MOST_NAMED)}, on its holdout {listing(usual, _MOST_NAMED)}. "
            "Either other things are photographed, or the images make it sure and wrong; only labels tell which."
        )
    if facts.drift and facts.drift.verdict == "drifted":
        found.append(
            "The images changed, and scores are calibrated for images as they were: a model that is sure and wrong gets a good estimate."
        )
    record = _record(facts)
    if record:
        found.append(record)
    found.append(
        "Scores see a day that is harder for the model, such as a noisy one. They do not see what makes it sure and wrong: in the benchmark "
        "(docs/benchmarks/judgement) they said 78 % of photos blurred until 61 % of the answers were right."
    )
    return found


def _moved_most(shares: Sequence[ClassShare], classes: tuple[str, ...]) -> list[tuple[ClassShare, float]]:
    """The classes whose share moved most, each with the day's, in the monitor file's order."""
    known = [(row, row.day) for row in shares if row.day is not None]
    most = sorted(known, key=lambda pair: -abs(pair[1] - pair[0].reference))[:_MOST_NAMED]
    place = {name: number for number, name in enumerate(in_order([row.name for row, _ in most], classes))}
    return sorted(most, key=lambda pair: place[pair[0].name])


def _record(facts: DayFacts) -> str | None:
    """How far the estimate was from the measured accuracy on the days shown."""
    gaps = []
    for past in facts.history:
        found = past.performance
        if not found or past.model != facts.as_day.model or not found.estimated:
            continue
        known = found.corrected.value if found.corrected and found.corrected.value is not None else found.accuracy.value
        if known is not None and found.estimated.value is not None:
            gaps.append(100 * (found.estimated.value - known))
    if not gaps:
        return None
    mean = sum(gaps) / len(gaps)
    return (
        f"On {count(len(gaps), 'labelled day')} of this model shown here it was off by {mean:+.1f} points on average, "
        f"{max(gaps, key=abs):+.1f} at most."
    )


def late(facts: DayFacts) -> list[str]:
    """How many images came after the sample was drawn, or after the day was taken in, and which numbers they are in."""
    found = []
    images, accepted = facts.ingest.late, facts.ingest.accepted
    if images:
        found.append(
            f"{images:,} of {count(accepted, 'image')} came after the day's sample was drawn. Features, drift and predictions count them. "
            f"{_who_was_asked(facts, accepted, images)}"
        )
    if facts.performance and facts.performance.not_covered:
        found.append(
            f"{count(facts.performance.not_covered, 'image')} of the day are in parts (strata) of which no image has a label. No number of the "
            "model says anything of them."
        )
    if facts.late_files:
        found.append(
            f"{count(facts.late_files.files, 'file')} came after the day was taken in, and no number here counts them. "
            "Publishing a correction, on the day's page in Airflow, takes them in."
        )
    return found


def _who_was_asked(facts: DayFacts, accepted: int, late: int) -> str:
    """Which of the late images people are asked about, and for which images the accuracy then stands."""
    plan = facts.annotation
    drawn = [part for part in plan.supplements if part.late] if plan else []
    said = []
    if plan and drawn:
        asked = sum(len(part.sample) for part in drawn)
        those = "all" if plan.not_asked is None else "those it could be drawn from"
        said.append(
            f"People are asked about {asked:,} of them too, each with the chance of the others: the accuracy is that of {those}."
        )
        if plan.surplus:
            said.append(f"{count(len(plan.surplus), 'label')} of images that had a greater chance are left out of it.")
    if plan and plan.not_asked:
        rest = plan.not_asked.images
        said.append(
            f"Nobody is asked about {rest:,} of them: {plan.not_asked.reason}. The accuracy stands for {accepted - rest:,} of "
            f"{count(accepted, 'image')}."
        )
    elif not drawn:
        said.append(
            f"The sample stays: it was drawn at random from the {accepted - late:,} that were there, and the accuracy is theirs. It holds "
            "for the whole day only as far as the late images are like them."
        )
    return " ".join(said)


def changed(facts: DayFacts) -> list[str]:
    """The days shown whose verdict changed when late or corrected labels came in."""
    found = []
    for past in facts.history:
        now = past.performance
        if now and verdict_changed(now):
            was = [_said(earlier.verdict, earlier.labels, earlier.accuracy) for earlier in now.revisions]
            said = _said(now.verdict, now.labels, now.accuracy.value)
            found.append(f"{past.day.isoformat()}: {', then '.join(was)}, now {said}")
    return found


def _said(verdict: AccuracyVerdict, labels: int, accuracy: float | None) -> str:
    right = "" if accuracy is None else f", {percent(accuracy)}"
    return f"{tones.name(verdict)} ({count(labels, 'label')}{right})"
