"""How the report and the alerts say things: numbers, features, and what happened."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from driftwatch.view.feature_words import words_of
from driftwatch.view.numbers import percent
from driftwatch.view.shares import accuracy_text

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.drift import ContentDrift, DayDrift
    from driftwatch.artifacts.ingest import Ingest


def feature_name(column: str) -> str:
    """A short name for people; the column's own, without its prefix, for one that is not known."""
    return words_of(column).name


class Moved(Protocol):
    """A feature that moved, of the whole day or of a segment."""

    @property
    def feature(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def test(self) -> str: ...


def direction(feature: Moved) -> str:
    """What the change of one feature of drift.json looks like in the pictures."""
    if feature.direction not in ("up", "down"):
        return "other distribution"
    words = words_of(feature.feature)
    looks = words.higher if feature.direction == "up" else words.lower
    return f"some images: {looks}" if feature.test.endswith("_tail") else looks


def listing(items: Sequence[str], most: int = 3) -> str:
    """`a, b and c`. If there are more than `most`, the rest is counted."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def spans_of(days: Sequence[date]) -> list[str]:
    """The days, which are in order, with those that follow one another as `first to last`."""
    spans: list[tuple[date, date]] = []
    for day in days:
        follows = bool(spans) and (day - spans[-1][1]).days == 1
        spans[-1:] = [(spans[-1][0], day)] if follows else [*spans[-1:], (day, day)]
    return [f"{first}" if first == last else f"{first} to {last}" for first, last in spans]


def count(number: int, word: str) -> str:
    """`1 image`, `2 images`, `1,000 images`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def printable(text: Any) -> str:
    """Text from outside on one line, with control, bidirectional and unpaired characters made visible as escapes."""
    return "".join(
        character if unicodedata.category(character)[0] != "C" else character.encode("unicode_escape").decode()
        for character in str(text)
    )


def in_address(text: str) -> str:
    """The text as one part of a path."""
    return quote(text, safe="")


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def one_line(text: Any, most: int = 300) -> str:
    """The text with each run of white space as one space, cut to `most` characters. It is fit for a subject."""
    flat = printable(re.sub(r"\s+", " ", str(text)).strip())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def headline(
    ingest: Ingest,
    drift: DayDrift | None,
    performance: Performance | None,
    content_drift: ContentDrift | None = None,
    labelled: bool = True,
    segments: str = "",
) -> str:
    """One sentence: what happened to the images, and to the model. `labelled`: whether the monitor has labels at all; `segments`: which of
    them changed, in words."""
    if not ingest.accepted:
        return f"No usable image arrived: {count(ingest.listed, 'file')} listed, none accepted."
    if performance is None:
        later = "; the model's accuracy is not known yet." if labelled else "."
        return _before_labels(ingest, drift, content_drift, later, segments)
    measured = f"{accuracy_and_floor(performance)}."
    changed, verdict = drift.verdict if drift else None, performance.verdict
    images = {
        "drifted": f"The images changed ({segments})" if segments else "The images changed",
        "ok": _usual(drift, content_drift),
        "not_enough_evidence": "Too few images to judge drift",
        None: "Drift is not judged",
    }[changed]
    model = {
        "alert": "the model got worse",
        "ok": "the model holds",
        "not_enough_evidence": "there is not enough evidence about the model",
    }[verdict]
    both_bad, both_good = (changed, verdict) == ("drifted", "alert"), (changed, verdict) == ("ok", "ok")
    link = " and" if both_bad or both_good else ", but" if changed in ("drifted", "ok") else ";"
    return f"{images}{link} {model}: {measured}"


def accuracy_and_floor(found: Performance) -> str:
    """`accuracy 75.4 % [71, 79], usually 89.8 %, floor 70 %`. What is usual is said where that it is lower is all that makes an alert."""
    below, worse, floor, drop = found.policy.below_floor, found.policy.worse, found.policy.floor, found.policy.drop
    usual = worse.usual if worse and worse.fires else drop.holdout_accuracy if drop and drop.fires else None
    missed = any(rule.fires for rule in (below, floor) if rule)
    lower = f", usually {percent(usual)}" if usual is not None and not missed and found.verdict == "alert" else ""
    return f"accuracy {accuracy_text(found.accuracy)}{lower}, floor {percent(found.floor)}"


def _before_labels(
    ingest: Ingest, drift: DayDrift | None, content_drift: ContentDrift | None, later: str, segments: str
) -> str:
    if drift is None:
        return f"{count(ingest.accepted, 'image')} taken in; nothing is judged yet."
    if drift.verdict == "drifted":
        moved = [direction(feature) for feature in drift.features if feature.verdict == "drifted"]
        return f"The images changed ({segments or listing(moved, 2)}){later}"
    if drift.verdict == "ok":
        return f"{_usual(drift, content_drift)}{later}"
    return f"Too few images to judge ({drift.n}){later}"


def _usual(drift: DayDrift | None, content_drift: ContentDrift | None) -> str:
    """For a day with the usual image quality: what else changed, if anything, of the day or of segments alone."""
    answers = (
        ("content", "their content changed", content_drift.content if content_drift else None),
        ("predictions", "the model's answers shifted", content_drift.predictions if content_drift else None),
    )
    found = []
    for kind, words, test in answers:
        if test and test.verdict == "drifted":
            found.append(words)
        elif content_drift and (
            segments := [row for row in content_drift.segments_that("drifted") if row.kind == kind]
        ):
            found.append(f"{words} in {count(len(segments), 'segment')}")
    if drift and drift.trend and drift.trend.verdict == "drifted":
        found.append("they change slowly over the days")
    return f"The images' quality is as usual, {listing(found)}" if found else "The images look as usual"
