"""Segments in words: which of them changed and how, in one line for alerts and headlines, and as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from driftwatch.view import tones
from driftwatch.view.shares import p_digits
from driftwatch.view.words import count, direction, listing

if TYPE_CHECKING:
    from driftwatch.artifacts.drift import ContentDrift, DayDrift
    from driftwatch.artifacts.segments import SegmentDrift

MOST_NAMED, MOST_ROWS, MOST_QUIET, MOST_PICTURED = 6, 50, 200, 6
_VERDICTS = {
    "drifted": tones.of_drift("drifted"),
    "missing": tones.Verdict(tones.WARN, "no image"),
    "new": tones.Verdict(tones.WAITING, "new"),
    "muted": tones.Verdict(tones.WAITING, "muted"),
    "usual": tones.of_drift("ok"),
    "not_enough_evidence": tones.of_drift("not_enough_evidence"),
}
_COUNTED = {"no image": "without an image", tones.NOT_ENOUGH: "without enough evidence"}
_KINDS = {"image_quality": "", "content": "content", "predictions": "answers"}


def plural(segmentation: str) -> str:
    """`cameras` of `camera`."""
    words = segmentation.replace("_", " ")
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(("s", "x", "ch", "sh")) else f"{words}s"


def by_segmentation(rows: Iterable[SegmentDrift]) -> dict[str, list[SegmentDrift]]:
    """The rows of each segmentation, in their order."""
    found: dict[str, list[SegmentDrift]] = {}
    for row in rows:
        found.setdefault(row.by, []).append(row)
    return found


def looks(row: SegmentDrift) -> str:
    """What the change of a drifted segment looks like: `blurred, fine detail lost`."""
    if row.kind == "content":
        return "other content than is usual there"
    if row.kind == "predictions":
        return f"the model answers {listing([_more(found.feature, found.direction) for found in row.features], 2)}"
    return listing(list(dict.fromkeys(direction(found) for found in row.features)), 2)


def _more(name: str, moved: str) -> str:
    return f"{name} {'more' if moved == 'up' else 'less'} often"


def changed_lines(rows: Sequence[SegmentDrift]) -> list[str]:
    """For each segmentation and kind with drifted segments: `2 of 140 cameras: door-17 and door-31, blurred; the rest as usual`."""
    lines = []
    for kind in dict.fromkeys(row.kind for row in rows):
        for by, of in by_segmentation(row for row in rows if row.kind == kind).items():
            drifted = [row for row in of if row.status == "drifted"]
            if drifted:
                lines.append(_changed(by, drifted, [row for row in of if row.images]))
    return lines


def _changed(by: str, drifted: Sequence[SegmentDrift], there: Sequence[SegmentDrift]) -> str:
    said = list(dict.fromkeys(looks(row) for row in drifted))
    if len(said) == 1:
        which = f"{listing([row.name for row in drifted], MOST_NAMED)}, {said[0]}"
    else:
        which = listing([f"{row.name} ({looks(row)})" for row in drifted], MOST_NAMED)
    return f"{len(drifted)} of {count_of(len(there), by)}: {which}{_rest(there, len(drifted))}"


def _rest(there: Sequence[SegmentDrift], drifted: int) -> str:
    usual = sum(row.status == "usual" for row in there)
    others = len(there) - drifted - usual
    if not others:
        return "; the rest as usual" if usual else ""
    return f"; {usual} as usual, {others} not judged"


def count_of(number: int, by: str) -> str:
    """`1 camera`, `140 cameras`."""
    return f"{number:,} {plural(by) if number != 1 else by.replace('_', ' ')}"


def coming_lines(rows: Sequence[SegmentDrift], day: date | None = None) -> list[str]:
    """Which segments are new and which are missing: `new camera: door-9`, `no image from camera door-3`. `day`: only those that are so
    since that day."""
    lines = []
    for by, of in by_segmentation(rows).items():
        for status, words in (("new", "new {}: {}"), ("missing", "no image from {} {}")):
            names = [row.name for row in of if row.status == status and (day is None or row.since == day)]
            if names:
                what = by.replace("_", " ") if len(names) == 1 else plural(by)
                lines.append(words.format(what, listing(names, MOST_NAMED)))
    return lines


@dataclass(frozen=True)
class SegmentRow:
    """One segment of a day. `changes`: what changed, one entry for each kind of drift; `pictures`: the group of its examples."""

    by: str
    name: str
    verdict: tones.Verdict
    images: str
    changes: tuple[str, ...]
    effect: str
    p: str
    since: str
    accuracy: str
    pictures: str

    @property
    def matters(self) -> bool:
        return self.verdict.tone in (tones.WARN, tones.BAD) or self.verdict.word in ("new", "muted")


@dataclass(frozen=True)
class SegmentTable:
    """The segments of one segmentation. `about`: how many are what; `rows`: those that matter, the worst first; `quiet`: the others, of
    which `hidden` are not shown."""

    title: str
    about: str
    rows: list[SegmentRow] = field(default_factory=list)
    quiet: list[SegmentRow] = field(default_factory=list)
    hidden: int = 0

    @property
    def judged(self) -> bool:
        """Whether any row has an accuracy."""
        return any(row.accuracy for row in [*self.rows, *self.quiet])


def tables(
    drift: DayDrift | None, answers: ContentDrift | None, accuracy: Mapping[tuple[str, str], str] | None = None
) -> list[SegmentTable]:
    """A table for each segmentation. `accuracy`: that of each segment in words, by segmentation and name, where known."""
    told = dict(accuracy or {})
    sampled = is_sampled(drift, answers)
    rows = [*(drift.segments if drift else ()), *(answers.segments if answers else ())]
    found = []
    for by, of in by_segmentation(rows).items():
        each: dict[str, list[SegmentDrift]] = {}
        for row in of:
            each.setdefault(row.name, []).append(row)
        shown = [drift_row(by, name, parts, told.get((by, name), ""), sampled) for name, parts in each.items()]
        shown.sort(key=lambda row: _RANK[row.verdict.word])
        matter, quiet = [row for row in shown if row.matters], [row for row in shown if not row.matters]
        hidden = max(0, len(matter) - MOST_ROWS) + max(0, len(quiet) - MOST_QUIET)
        title = f"By {by.replace('_', ' ')}"
        found.append(SegmentTable(title, _about(by, shown), matter[:MOST_ROWS], quiet[:MOST_QUIET], hidden))
    return found


def is_sampled(drift: DayDrift | None, answers: ContentDrift | None) -> bool:
    """Whether the day is judged by a random sample of its images."""
    return (drift is not None and drift.of_images is not None) or (answers is not None and answers.is_of_sample)


_RANK = {verdict.word: place for place, verdict in enumerate(_VERDICTS.values())}


def drift_row(by: str, name: str, parts: Sequence[SegmentDrift], accuracy: str, sampled: bool) -> SegmentRow:
    """One segment of a day, by its `parts`: what each kind of drift says of it, at least one. `sampled`: the day is judged by a sample."""
    worst = min(parts, key=lambda part: [*_VERDICTS].index(part.status))
    drifted = [part for part in parts if part.status == "drifted"]
    changes = _silenced(parts) + [
        f"{_KINDS[part.kind]}: {looks(part)}" if _KINDS[part.kind] else looks(part) for part in drifted
    ]
    about = next((part for part in parts if part.effective_n != part.images), worst)
    return SegmentRow(
        by=by,
        name=name,
        verdict=_VERDICTS[worst.status],
        images=about.tested(sampled),
        changes=tuple(changes),
        effect="–" if worst.effect is None else f"{worst.effect:.2f}",
        p=p_digits(worst.p_value),
        since=worst.since.isoformat() if worst.since else "",
        accuracy=accuracy,
        pictures=group(by, name),
    )


def _silenced(parts: Sequence[SegmentDrift]) -> list[str]:
    said = {"small": "detected, small", "muted": "only muted features differ"}
    return [said[part.silenced] for part in parts if part.silenced]


def group(by: str, name: str) -> str:
    """The name of the group of pictures that shows a segment's examples."""
    return f"segment {by} {name}"


def pictured(drift: DayDrift | None, answers: ContentDrift | None) -> dict[str, tuple[str, ...]]:
    """The ids of the examples of the segments that drifted most, by group."""
    rows = [*(drift.segments if drift else ()), *(answers.segments if answers else ())]
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row.examples and len(found) < MOST_PICTURED:
            found.setdefault(group(row.by, row.name), row.examples)
    return found


def _about(by: str, rows: Sequence[SegmentRow]) -> str:
    words = [row.verdict.word for row in rows]
    counts = [f"{words.count(word):,} {_COUNTED.get(word, word)}" for word in _RANK if word in words]
    return f"{count_of(len(rows), by)}: {', '.join(counts)}."


def first_line(drift: DayDrift) -> str:
    """What the headline says of segments that drifted; empty where none did."""
    lines = changed_lines(drift.segments)
    more = f" (and {count(len(lines) - 1, 'other segmentation')})" if len(lines) > 1 else ""
    return f"{lines[0]}{more}" if lines else ""


def numbers_of_segments(drift: DayDrift | ContentDrift, changed: list[str], coming: list[str]) -> dict[str, str]:
    """What an alert says of segments beside its subject; empty where there is nothing to say."""
    said = {"segments": "; ".join(changed)} if changed else {}
    if changed:
        since = [f"{row.name} since {row.since}" for row in drift.segments_that("drifted") if row.since != drift.day]
        said |= {"not new": listing(since, 6)} if since else {}
    return said | ({"coming and going": "; ".join(coming)} if coming else {})


def segments_note(drift: DayDrift) -> str:
    """Below the number of segments that changed: what the day as a whole says."""
    whole = tones.of_drift(drift.whole).word
    return f"the day as a whole: {whole}, {len(drift.drifted_features)} of {len(drift.features)} features moved"
