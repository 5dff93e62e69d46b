"""The accuracy of segments, and slices where it is low, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.segment_accuracy import SegmentAccuracy, Slice, SliceProperty
from driftwatch.config.segments import PREDICTED_CLASS
from driftwatch.view import charts, tones
from driftwatch.view.numbers import p_text, percent
from driftwatch.view.segment_names import segment_title
from driftwatch.view.shares import p_digits, share_text
from driftwatch.view.tones import Verdict
from driftwatch.view.words import capital, count, feature_name, listing

MOST_NAMED = 6


def worse(found: Performance) -> list[SegmentAccuracy]:
    """The segments that are alerts, the worst first."""
    return [segment for segment in found.segments if segment.verdict == "alert"]


def segment_reasons(found: Performance) -> list[str]:
    """A sentence for each segment that is an alert."""
    segments = worse(found)
    said = [_reason(segment, found.floor) for segment in segments[:MOST_NAMED]]
    if len(segments) > MOST_NAMED:
        more = len(segments) - MOST_NAMED
        said.append(f"{count(more, 'more segment')} {'is' if more == 1 else 'are'} worse.")
    return said


def _reason(segment: SegmentAccuracy, floor: float) -> str:
    of_days = f" of {segment.days} days" if segment.days > 1 else ""
    why = {
        "below_floor": f"below the floor of {percent(floor)}",
        "worse_than_rest": f"lower than the {share_text(segment.rest)} of the other images",
    }
    title = segment_title(segment.by, segment.name)
    return (
        f"{capital(title)}: {share_text(segment.accuracy)} on {count(segment.labels, 'label')}{of_days}, "
        f"{' and '.join(why[each] for each in segment.found)} ({p_text(segment.p_value or 0.0)}, all segments together)."
    )


def worse_line(found: Performance) -> str:
    """`2 of 140 segments: camera door-17 52 % [40, 64], camera door-31 …`; empty where none is worse."""
    segments = worse(found)
    if not segments:
        return ""
    named = [f"{segment_title(each.by, each.name)} {share_text(each.accuracy)}" for each in segments]
    return f"{len(segments)} of {count(len(found.segments), 'segment')}: {listing(named, MOST_NAMED)}"


def worse_title(found: Performance) -> str:
    """`camera door-17 and camera door-31`, the segments that are alerts."""
    return listing([segment_title(each.by, each.name) for each in worse(found)], MOST_NAMED)


def numbers_by_segment(found: Performance) -> dict[str, str]:
    """What an alert says of segments and slices, by name; empty where there is nothing to say."""
    where = "; ".join(slice_line(each) for each in found.slices).replace("Worst where ", "")
    said = {"worse segments": worse_line(found), "worst where": where}
    return {name: text for name, text in said.items() if text}


def slice_title(found: Slice) -> str:
    """`night, door-17`, or `predicted cat, mean brightness below 61.3`."""
    return ", ".join(_property(each) for each in found.where)


def _property(found: SliceProperty) -> str:
    if found.name is not None:
        return f"predicted {found.name}" if found.by == PREDICTED_CLASS else found.name
    feature = feature_name(found.by)
    if found.low is None:
        return f"{feature} below {found.high:.4g}"
    return f"{feature} from {found.low:.4g}" + ("" if found.high is None else f" to {found.high:.4g}")


def slice_line(found: Slice) -> str:
    """`Worst where night, door-17: 52 % [40, 64] of 61 labels, against 83 % elsewhere`."""
    elsewhere = f", against {percent(found.rest.value)} elsewhere" if found.rest.value is not None else ""
    of_days = f" of {found.days} days" if found.days > 1 else ""
    return f"Worst where {slice_title(found)}: {share_text(found.accuracy)} of {count(found.labels, 'label')}{of_days}{elsewhere}"


@dataclass(frozen=True)
class SegmentRow:
    """A row of the table of segments. `labels` says of how many days they are, where it is not the day alone."""

    by: str
    name: str
    images: str
    labels: str
    accuracy: str
    chart: Markup
    rest: str
    p_value: str
    verdict: Verdict
    examples: tuple[str, ...]

    @property
    def matters(self) -> bool:
        return self.verdict.tone == tones.BAD


def segment_rows(found: Performance | None, most: int = 200) -> list[SegmentRow]:
    """The day's segments with their accuracy, the worst first; at most so many."""
    return [segment_row(segment) for segment in (found.segments if found else ())[:most]]


def segment_row(segment: SegmentAccuracy) -> SegmentRow:
    """One segment of one day."""
    return SegmentRow(
        by=segment.by,
        name=segment.name,
        images=f"{segment.images:,}",
        labels=f"{segment.labels:,}" + (f" of {segment.days} days" if segment.days > 1 else ""),
        accuracy=share_text(segment.accuracy),
        chart=charts.interval_bar(segment.accuracy),
        rest=share_text(segment.rest),
        p_value=p_digits(segment.p_value),
        verdict=tones.of_model(segment.verdict),
        examples=segment.examples,
    )


def accuracy_texts(found: Performance | None) -> dict[tuple[str, str], str]:
    """Each segment's accuracy, by segmentation and name."""
    return {(each.by, each.name): share_text(each.accuracy) for each in (found.segments if found else ())}


def slice_lines(found: Performance | None) -> Sequence[str]:
    """A sentence for each slice, the worst first."""
    return [
        f"{slice_line(each)} ({p_text(each.p_value)}, the whole search)." for each in (found.slices if found else ())
    ]
