"""The day's accuracy in each of the ways in which it is known, how far to trust them, late images, and days whose verdict changed."""

from __future__ import annotations

from typing import Any

from driftwatch.accuracy.history import verdict_changed
from driftwatch.accuracy.policy import interval, percent
from driftwatch.models.metrics import in_order
from driftwatch.view import charts
from driftwatch.view.report.facts import DayFacts
from driftwatch.view.words import count, listing

_MOST_NAMED = 6


def ways(facts: DayFacts) -> list[dict[str, Any]]:
    """A row for each way: name, text, note, chart."""
    found = facts.performance
    rows = []
    if found:
        rows.append(_row("Agreement with the labels", found["accuracy"], f"on {count(found['labels'], 'label')}"))
    if found and "corrected" in found:
        error = found["label_error"]
        note = f"{percent(round(error['value'], 3))} {interval(error)} of the labels are wrong" if error else ""
        rows.append(_row("Corrected for wrong labels", found["corrected"], note))
        judged = found["judged"]
        if judged["days"] > 1:
            named = listing(found["pooled_days"], 7)
            rows.append(_row("Judged, days together", judged, f"{judged['n']} labels of {named}"))
    if facts.estimate:
        rows.append(
            _row("By the scores alone", facts.estimate["accuracy"], "an estimate from the morning on, without labels")
        )
    return rows


def _row(name: str, share: dict[str, Any], note: str) -> dict[str, Any]:
    if share["value"] is None:
        return {"name": name, "text": "–", "note": share["reason"], "chart": ""}
    text = f"{percent(round(share['value'], 3))} {interval(share)}"
    return {"name": name, "text": text, "note": note, "chart": charts.interval_bar(share)}


def trust(facts: DayFacts) -> list[str]:
    """What to believe of the estimate from scores, the most telling first."""
    if not facts.estimate or facts.estimate["accuracy"]["value"] is None:
        return []
    found = []
    answers = facts.estimate["answers"]
    if answers and answers["moved"]:
        names = _moved_most(answers, facts.config.classes)
        said = [f"{name} {percent(round(answers['day'][name], 2))}" for name in names]
        usual = [f"{name} {percent(round(answers['holdout'][name], 2))}" for name in names]
        found.append(
            f"Do not trust the estimate from scores today: the model answers {listing(said, _MOST_NAMED)}, on its holdout {listing(usual, _MOST_NAMED)}. "
            "Either other things are photographed, or the images make it sure and wrong; only labels tell which."
        )
    if facts.drift and facts.drift["verdict"] == "drifted":
        found.append(
            "The images changed, and scores are calibrated for images as they were: a model that is sure and wrong gets a good estimate."
        )
    record = _record(facts)
    if record:
        found.append(record)
    found.append(
        "Scores see a day that is harder for the model, such as a noisy one. They do not see what makes it sure and wrong: in the benchmark "
        "(docs/benchmarks/judgement) they said 80 % of photos blurred until 62 % of the answers were right."
    )
    return found


def _moved_most(answers: dict[str, Any], classes: tuple[str, ...]) -> list[str]:
    """The classes whose share moved most, in the monitor file's order."""
    moved = {name: abs(share - answers["holdout"].get(name, 0.0)) for name, share in answers["day"].items()}
    return in_order(sorted(moved, key=lambda name: -moved[name])[:_MOST_NAMED], classes)


def _record(facts: DayFacts) -> str | None:
    """How far the estimate was from the measured accuracy on the days shown."""
    version = facts.ingest["model_version"]
    gaps = []
    for past in facts.history:
        shown = past.performance
        if (
            shown
            and shown["model_version"] == version
            and shown.get("estimated")
            and shown["estimated"]["value"] is not None
        ):
            known = shown["corrected"] if shown["corrected"]["value"] is not None else shown["accuracy"]
            if known["value"] is not None:
                gaps.append(100 * (shown["estimated"]["value"] - known["value"]))
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
    images, accepted = facts.ingest.get("late", 0), facts.ingest["accepted"]
    if images:
        there = accepted - images
        found.append(
            f"{images:,} of {count(accepted, 'image')} came after the day's sample was drawn. Features, drift and predictions count them. The "
            f"sample stays: it was drawn at random from the {there:,} that were there, and the accuracy is theirs. It holds for the whole day "
            "only as far as the late images are like them."
        )
    if facts.late_files:
        found.append(
            f"{count(facts.late_files['files'], 'file')} came after the day was taken in, and no number here counts them. "
            "Publishing a correction, on the day's page in Airflow, takes them in."
        )
    return found


def changed(facts: DayFacts) -> list[str]:
    """The days shown whose verdict changed when late or corrected labels came in."""
    found = []
    for past in facts.history:
        if past.performance and verdict_changed(past.performance):
            was = [_said(earlier) for earlier in past.performance["revisions"]]
            now = _said({**past.performance, "accuracy": past.performance["accuracy"]["value"]})
            found.append(f"{past.day.isoformat()}: {', then '.join(was)}, now {now}")
    return found


def _said(outcome: dict[str, Any]) -> str:
    right = "" if outcome["accuracy"] is None else f", {percent(outcome['accuracy'])}"
    return f"{outcome['verdict'].replace('_', ' ')} ({count(outcome['labels'], 'label')}{right})"
