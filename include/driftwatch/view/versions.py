"""The model versions that answered a day, side by side. The report, the pages, the command line and the alerts take them from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.parts import Share
from driftwatch.models.metrics import in_order
from driftwatch.view import tones
from driftwatch.view.drift_words import evidence, shares
from driftwatch.view.numbers import percent, points
from driftwatch.view.shares import ShownShare, share_text, shown, whole_percent
from driftwatch.view.words import count, listing, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftwatch.artifacts.accuracy import Estimate, Performance
    from driftwatch.artifacts.drift import ContentDrift, VersionPredictions
    from driftwatch.artifacts.versions import VersionAccuracy, VersionEstimate

_MOST_CLASSES, _MOST_LINES, _LONGEST = 12, 4, 60


@dataclass(frozen=True)
class VersionRow:
    """One version. Texts are empty where the step has not run.

    `answers`: how many images it answered; `labels`, `accuracy`: what the labels of the day say, and `share` the same as numbers;
    `judged`: what the verdict or the comparison rests on; `difference`: to the serving version, or why there is none; `verdict`: of the
    serving version the day's, of another one how it compares; `estimate`: by the scores alone; `predictions`, `answered`: whether
    its answers moved, and how.
    """

    name: str
    serving: bool
    answers: str
    labels: int | None
    accuracy: ShownShare | None
    share: Share | None
    judged: str
    difference: str
    verdict: tones.Verdict
    estimate: str
    predictions: tones.Verdict | None
    answered: str


@dataclass(frozen=True)
class ClassRecall:
    """A class by version: the recall, in the order of the versions; `–` where there are too few labels."""

    name: str
    recalls: tuple[ShownShare, ...]


@dataclass(frozen=True)
class Versions:
    """The versions, the serving one first. `about`: which one the verdict is about, and why; `classes`: those with enough labels in two
    versions, and how many `more` there are."""

    about: str
    rows: tuple[VersionRow, ...]
    classes: tuple[ClassRecall, ...]
    more: int


def versions(
    performance: Performance | None, drift: ContentDrift | None = None, estimate: Estimate | None = None
) -> Versions | None:
    """The versions of a day, from what is known of it so far; None where one version answered."""
    rated = {row.version: row for row in performance.versions} if performance else {}
    estimated = {row.version: row for row in estimate.versions} if estimate else {}
    moved = {row.version: row for row in drift.versions} if drift else {}
    images = {name: row.answered for name, row in rated.items()}
    images = images or {name: row.of_images for name, row in moved.items() if row.of_images is not None}
    images = images or {name: row.accuracy.n for name, row in estimated.items()}
    images = images or {name: row.n for name, row in moved.items()}
    if len(images) < 2:
        return None
    total, serving = sum(images.values()), next(iter(images))
    rows = tuple(
        _row(
            name,
            f"{count(n, 'image')}, {whole_percent(n / total)}",
            performance if name == serving else None,
            rated.get(name),
            estimated.get(name),
            moved.get(name),
        )
        for name, n in images.items()
    )
    found = _classes(list(rated.values()), performance.confusion_matrix.labels) if performance else []
    return Versions(_about(images), rows, tuple(found[:_MOST_CLASSES]), max(len(found) - _MOST_CLASSES, 0))


def _row(
    name: str,
    answers: str,
    day: Performance | None,
    rated: VersionAccuracy | None,
    estimated: VersionEstimate | None,
    moved: VersionPredictions | None,
) -> VersionRow:
    """`day`: the day's performance, for the serving version."""
    return VersionRow(
        name=one_line(name, _LONGEST),
        serving=rated is not None and rated.difference is None,
        answers=answers,
        labels=rated.labels if rated else None,
        accuracy=shown(rated.accuracy) if rated else None,
        share=rated.accuracy if rated else None,
        judged=_judged(rated) if rated else "",
        difference=_difference(rated) if rated else "",
        verdict=tones.of_model(day.verdict) if day else _compared(rated),
        estimate=share_text(estimated.accuracy) if estimated else "",
        predictions=tones.of_drift(moved.verdict) if moved else None,
        answered=_answered(moved) if moved else "",
    )


def _judged(found: VersionAccuracy) -> str:
    if found.judged is None or found.judged.value is None:
        return "–"
    days = f" of {found.judged.days} days" if found.judged.days > 1 else ""
    how = ", corrected" if found.judged.kind == "corrected" else ""
    return f"{share_text(found.judged)} on {count(found.judged.n, 'label')}{days}{how}"


def _difference(found: VersionAccuracy) -> str:
    if found.difference is None:
        return ""
    return points(found.difference) or found.difference.reason or ""


def _compared(found: VersionAccuracy | None) -> tones.Verdict:
    return tones.of_version(found.difference.finding if found and found.difference else None)


def _answered(found: VersionPredictions) -> str:
    return ", ".join(part for part in (shares(found), evidence(found) or found.reason) if part)


def _about(images: dict[str, int]) -> str:
    """Why the first of the versions is the serving one. The artifacts do not say it: their order and numbers do."""
    first, most = next(iter(images)), max(images.values())
    serving = one_line(first, _LONGEST)
    as_many = [one_line(name, _LONGEST) for name, n in images.items() if n == most]
    if images[first] < most:
        return f"The verdict of the day is about {serving}, which model.serving_version names."
    if len(as_many) > 1:
        return (
            f"The verdict of the day is about {serving}. {listing(as_many)} answered as many images each, and it is the first by name: "
            "set model.serving_version to name one."
        )
    return f"The verdict of the day is about {serving}, which answered the most images."


def _classes(rated: Sequence[VersionAccuracy], order: Sequence[str]) -> list[ClassRecall]:
    """The classes with a recall in two versions, those furthest apart first; as many as are shown are in the monitor file's order."""
    gaps = {}
    for name in order:
        known = [row.recall[name].value or 0.0 for row in rated if name in row.recall]
        if len(known) > 1:
            gaps[name] = max(known) - min(known)
    furthest = sorted(gaps, key=lambda name: -gaps[name])
    shown_first = in_order(furthest[:_MOST_CLASSES], order)
    return [
        ClassRecall(name, tuple(shown(row.recall[name]) if name in row.recall else _NO_RECALL for row in rated))
        for name in [*shown_first, *furthest[_MOST_CLASSES:]]
    ]


_NO_RECALL = ShownShare("–", "too few labels")


def line(row: VersionRow) -> str:
    """A version in one line: `8 (60 images, 10 %): 70 % [58, 80] on 50 labels, -24.1 points [-36, -13]: worse`."""
    said = f"{row.name} ({row.answers})"
    if row.accuracy is None or row.labels is None:
        return said
    said += f": {row.accuracy.both} on {count(row.labels, 'label')}"
    if row.serving:
        return f"{said}: {row.verdict.word}"
    return f"{said}, {row.difference}: {row.verdict.word}"


def lines(performance: Performance | None) -> list[str]:
    """Each version of a day in one line, those with the most answers; none where one version answered."""
    found = versions(performance)
    if found is None:
        return []
    said = [line(row) for row in found.rows[:_MOST_LINES]]
    return [*said, f"and {len(found.rows) - _MOST_LINES} more"] if len(found.rows) > _MOST_LINES else said


def moved_line(drift: ContentDrift) -> str:
    """Whether the predictions of each version moved, in one line; empty where one version answered."""
    found = versions(None, drift)
    rows = found.rows[:_MOST_LINES] if found else ()
    said = [f"{row.name} ({row.answers}) {row.predictions.word}" for row in rows if row.predictions]
    return ", ".join(said)


def without_a_part(performance: Performance) -> str:
    """What else became of the labelled images, behind the other counts of the sample: `, 12 of other versions, 3 without an answer`."""
    others = sum(row.labels for row in performance.versions[1:])
    parts = ((others, "of other versions"), (performance.unpredicted or 0, "without an answer"))
    return "".join(f", {n} {what}" for n, what in parts if n)


def model_name(performance: Performance | Estimate | None, registered: str) -> str:
    """The model that a day's verdict is about: production's own version, with the registered one that it is compared with."""
    if performance is None or performance.serving_version is None:
        return registered
    return f"{one_line(performance.serving_version, _LONGEST)} (registered as {registered})"


def unpredicted(performance: Performance) -> str:
    """How many labelled images have no answer; empty where all have one."""
    if not performance.unpredicted:
        return ""
    labels = performance.unpredicted + sum(row.labels for row in performance.versions)
    labels += 0 if performance.versions else performance.labels
    return (
        f"Production answered {labels - performance.unpredicted:,} of {count(labels, 'labelled image')}. The other "
        f"{performance.unpredicted:,} have no answer: they are not scored, and count neither as right nor as wrong."
    )


def scored(performance: Performance) -> str:
    """Which of the labelled images are scored, as the end of a sentence."""
    if not performance.versions:
        one = performance.labels == 1
        return f"{performance.labels} of them {'has a label and is' if one else 'have a label and are'} scored."
    all_of_them = sum(row.labels for row in performance.versions)
    share = percent(round(performance.labels / all_of_them, 2)) if all_of_them else "none"
    return (
        f"{all_of_them} of them have a label and an answer; {performance.labels} ({share}) were answered by "
        f"{one_line(performance.serving_version, _LONGEST)}, and these are scored here."
    )
