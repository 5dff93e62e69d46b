"""Segments and slices in words, and a segment over time."""

from __future__ import annotations

import json
import re

from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.report.known import day_facts

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import SegmentsGotWorse
from driftwatch.artifacts.parts import Share, WeightedShare
from driftwatch.artifacts.segment_accuracy import SegmentAccuracy, Slice, SliceProperty
from driftwatch.view.alerts import alert_text
from driftwatch.view.report import environment
from driftwatch.view.segment_accuracy import segment_reasons, segment_rows, slice_line, slice_title, worse_line

ACCURACY = WeightedShare(value=0.52, low=0.4, high=0.64, n=61, effective_n=61.0)
REST = Share(value=0.83, low=0.8, high=0.86, n=600)


def segment(name: str, verdict: str = "alert", by: str = "camera", days: int = 3) -> SegmentAccuracy:
    found = ("below_floor", "worse_than_rest") if verdict == "alert" else ()
    return SegmentAccuracy(
        by=by, name=name, images=1200, labels=61, days=days, accuracy=ACCURACY, rest=REST, verdict=verdict, found=found,
        p_value=0.0012,
    )  # fmt: skip


def performance(*segments: SegmentAccuracy) -> Performance:
    found = Performance.model_validate_json(json.dumps(samples.PERFORMANCE))
    return found.model_copy(update={"segments": segments, "floor": 0.7})


def test_an_alert_says_which_segment_why_and_on_what_it_rests() -> None:
    said = segment_reasons(
        performance(segment("door-17"), segment("door-3", "ok"), segment("cat", by="predicted_class"))
    )
    assert said == [
        "Camera door-17: 52 % [40, 64] on 61 labels of 3 days, below the floor of 70 % and lower than the 83 % [80, 86] of the "
        "other images (p = 0.0012, all segments together).",
        "Predicted cat: 52 % [40, 64] on 61 labels of 3 days, below the floor of 70 % and lower than the 83 % [80, 86] of the "
        "other images (p = 0.0012, all segments together).",
    ]  # fmt: skip


def test_one_line_counts_the_worse_segments_and_is_empty_where_there_is_none() -> None:
    found = performance(segment("door-17"), segment("door-3", "ok"))
    assert worse_line(found) == "1 of 2 segments: camera door-17 52 % [40, 64]"
    assert worse_line(performance(segment("door-3", "ok"))) == ""


def test_many_worse_segments_are_counted_and_the_first_are_said() -> None:
    seven, nine = (
        segment_reasons(performance(*(segment(f"door-{place}") for place in range(worse)))) for worse in (7, 9)
    )
    assert (len(seven), len(nine)) == (7, 7)
    assert (seven[-1], nine[-1]) == ("1 more segment is worse.", "3 more segments are worse.")


def table(found: Performance) -> str:
    """The report's section."""
    known = {"facts": day_facts(performance=found), "segment_accuracy": segment_rows(found), "slices": ()}
    return environment().get_template("segment_accuracy.html.j2").render(known)


def test_the_table_says_how_many_segments_it_leaves_out() -> None:
    page = table(performance(*(segment(f"door-{place}", "ok") for place in range(203))))
    assert "3 more, which look better than these, are in performance.json alone." in page
    assert (page.count("door-199<"), page.count("door-200<")) == (1, 0)
    assert "in performance.json alone" not in table(performance(segment("door-1", "ok")))


def test_a_slice_is_said_by_its_properties() -> None:
    def of(*where: SliceProperty) -> Slice:
        return Slice(
            where=where,
            labels=61,
            accuracy=Share(value=0.52, low=0.4, high=0.72, n=61),
            rest=REST,
            p_value=0.004,
            days=7,
            examples=(),
        )

    night, door = SliceProperty(by="light", name="night"), SliceProperty(by="camera", name="door-17")
    assert slice_line(of(night, door)) == (
        "Worst where night, door-17: 52 % [40, 72] of 61 labels of 7 days, against 83 % elsewhere"
    )
    dark = SliceProperty(by="image.Brightness.mean", high=61.27)
    between = SliceProperty(by="image.Brightness.mean", low=61.27, high=90.0)
    bright, cat = SliceProperty(by="image.Brightness.mean", low=90.0), SliceProperty(by="predicted_class", name="cat")
    titles = [slice_title(of(each)) for each in (dark, between, bright, cat)]
    assert [title.removeprefix("mean brightness").removeprefix("brightness") for title in titles] == [
        " below 61.27", " from 61.27 to 90", " from 90", "predicted cat"
    ]  # fmt: skip


def test_a_row_says_on_how_many_days_its_labels_rest() -> None:
    (one, other) = segment_rows(performance(segment("door-17"), segment("door-3", "ok", days=1)))
    assert (one.labels, other.labels, one.images) == ("61 of 3 days", "61", "1,200")
    assert (one.verdict.word, other.verdict.word) == ("worse", "holds")


def test_the_report_shows_the_worse_segments_and_folds_the_others_away() -> None:
    def said(*segments: SegmentAccuracy) -> tuple[list[str], list[str]]:
        text = table(performance(*segments))
        shown, _, folded = text.partition('<details class="others">')
        return re.findall(r"door-\d+", shown), re.findall(r"door-\d+", folded)

    unsure = segment("door-9", "not_enough_evidence")
    assert said(segment("door-17"), unsure, segment("door-3", "ok")) == (["door-17"], ["door-9", "door-3"])
    assert said(segment("door-17")) == (["door-17"], [])
    assert said(segment("door-3", "ok")) == ([], ["door-3"])


def test_an_alert_of_segments_alone_names_them_and_says_that_nothing_is_retrained() -> None:
    found = performance(segment("door-17"), segment("door-3", "ok"), segment("door-31"))
    where = Slice(
        where=(SliceProperty(by="camera", name="door-17"),), labels=61, accuracy=ACCURACY, rest=REST, p_value=0.004, days=7, examples=()
    )  # fmt: skip
    found = found.model_copy(update={"slices": (where,), "verdict": "ok"})
    alert = SegmentsGotWorse(found.day, found)
    subject, message = alert_text("demo", alert, {})
    assert subject.endswith("The model is worse in camera door-17 and camera door-31")
    assert "worse segments: 2 of 3 segments: camera door-17 52 % [40, 64]" in message
    assert "worst where: door-17: 52 % [40, 64] of 61 labels of 7 days, against 83 % elsewhere" in message
    assert "Because: Camera door-17: 52 % [40, 64]" in message
    assert "Nothing is retrained for a segment" in message
    assert alert.news == {"verdict": "ok", "segments": ["camera door-17", "camera door-31"]}
