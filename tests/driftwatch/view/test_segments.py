"""Segments in words: the alert names them, the table has those that matter first."""

from __future__ import annotations

from datetime import date

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.report.known import day_facts
from tests.driftwatch.view.typed import DAY, typed

from driftwatch.artifacts.alerts import AnswersDrifted, ImagesDrifted
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.segments import SegmentDrift, SegmentFeature
from driftwatch.config.loader import load_monitor
from driftwatch.lineage import verdicts
from driftwatch.view.alerts import words_of
from driftwatch.view.days import Day
from driftwatch.view.drift_words import kinds
from driftwatch.view.pictures import chosen
from driftwatch.view.report import sections
from driftwatch.view.segment_pages import segment_page
from driftwatch.view.segments import coming_lines, plural, tables

BLUR = SegmentFeature(feature="image.Sharpness.laplacian", test="shift", effect=0.5, direction="down", p_value=1e-9)
DARK = SegmentFeature(feature="image.Brightness.mean", test="ks", effect=0.4, direction="down", p_value=1e-6)
CALM = typed(DayDrift, samples.DAY_DRIFT, drifted_features=[], verdict="drifted", day=DAY.isoformat()).model_copy(
    update={"whole": "ok", "trend": None}
)


def segment(name: str, status: str = "usual", images: int = 200, **more: object) -> SegmentDrift:
    known = {"by": "camera", "name": name, "images": images, "status": status, **more}
    return SegmentDrift.model_construct(**known)


def broken(name: str, *features: SegmentFeature, **more: object) -> SegmentDrift:
    details = {"features": features, "effect": 0.5, "p_value": 1e-9, "examples": ("a", "b"), "since": DAY, **more}
    return segment(name, "drifted", **details)


def day(*rows: SegmentDrift) -> DayDrift:
    return CALM.model_copy(update={"segments": rows})


USUAL = [segment(f"door-{number:03d}") for number in range(138)]


def said(drift: DayDrift) -> str:
    return words_of(ImagesDrifted(day=DAY, drift=drift)).said


def test_the_alert_names_the_cameras_and_how_they_look_and_that_the_rest_is_as_usual():
    found = said(day(broken("door-17", BLUR), broken("door-31", BLUR), *USUAL))
    assert found == (
        "The images changed: 2 of 140 cameras: door-17 and door-31, blurred, fine detail lost; the rest as usual"
    )


def test_cameras_that_changed_differently_have_each_their_own_words():
    found = said(day(broken("door-17", BLUR), broken("door-31", DARK), segment("tiny", "not_enough_evidence", 5)))
    assert "door-17 (blurred, fine detail lost) and door-31 (darker); 0 as usual, 1 not judged" in found


def test_many_cameras_are_counted_and_one_that_is_broken_for_days_says_since_when():
    many = [broken(f"door-{number}", BLUR, since=date(2026, 1, 2)) for number in range(9)]
    words = words_of(ImagesDrifted(day=DAY, drift=day(*many)))
    assert "9 of 9 cameras: door-0, door-1, door-2, door-3, door-4, door-5 and 3 more" in words.said
    assert "door-0 since 2026-01-02" in words.numbers["not new"]


def test_a_new_and_a_missing_camera_are_told_on_their_first_day_alone():
    rows = (segment("door-9", "new", since=DAY), segment("door-3", "missing", 0, since=date(2026, 1, 2)))
    drift = day(*rows, *USUAL).model_copy(update={"verdict": "ok"})
    assert said(drift) == "New camera: door-9"
    assert drift.came_or_went
    assert coming_lines(drift.segments) == ["new camera: door-9", "no image from camera door-3"]
    assert not day(rows[1]).came_or_went


def test_news_are_the_segments_so_that_another_one_is_told_again():
    one, two = (
        ImagesDrifted(DAY, day(*rows)).news for rows in ([broken("a", BLUR)], [broken("a", BLUR), broken("b", BLUR)])
    )
    assert one != two
    assert "segments" not in ImagesDrifted(DAY, CALM).news


def test_answers_of_a_segment_are_told_by_their_classes():
    shares = SegmentFeature(feature="dog", test="share", effect=0.4, direction="up", p_value=1e-9)
    rows = (broken("door-2", shares, kind="predictions"), segment("door-1", kind="predictions"))
    drift = typed(ContentDrift, samples.CONTENT_DRIFT).model_copy(update={"segments": rows})
    quiet = {name: getattr(drift, name).model_copy(update={"verdict": "ok"}) for name in ("content", "predictions")}
    words = words_of(AnswersDrifted(day=DAY, drift=drift.model_copy(update=quiet)))
    assert words.said == "1 of 2 cameras: door-2, the model answers dog more often; the rest as usual"


def test_the_table_has_what_matters_first_and_the_others_folded_and_counted():
    rows = (broken("door-17", BLUR), segment("door-3", "missing", 0), segment("door-9", "new", 7), *USUAL)
    [table] = tables(day(*rows), None)
    assert table.title == "By camera"
    assert table.about == "141 cameras: 1 changed, 1 without an image, 1 new, 138 as usual."
    assert [row.name for row in table.rows] == ["door-17", "door-3", "door-9"]
    assert (table.rows[0].changes, table.rows[0].effect) == (("blurred, fine detail lost",), "0.50")
    assert (len(table.quiet), table.hidden, table.judged) == (138, 0, False)


def test_of_a_large_day_the_independent_images_are_those_of_its_sample():
    rows = [segment("door-1", images=90_000, effective_n=4_000)]
    [table] = tables(day(*rows).model_copy(update={"of_images": 2_000_000}), None)
    assert table.quiet[0].images == "90,000 (4,000 independent in the sample)"
    [table] = tables(day(*rows), None)
    assert table.quiet[0].images == "90,000 (4,000 independent)"


@pytest.mark.parametrize("images", [2_000_000, None])
def test_pages_and_lineage_tell_a_segment_s_images_in_the_same_words(images):
    rows = [segment("door-1", images=90_000, effective_n=4_000, kind="image_quality", p_value=0.5)]
    drift = day(*rows).model_copy(update={"of_images": images})
    wanted = "90,000 (4,000 independent in the sample)" if images else "90,000 (4,000 independent)"
    config = load_monitor("include/monitors/cats_vs_dogs.yaml")
    page = segment_page([Day(DAY, drift=drift)], config, "camera", "door-1")
    assert page
    assert page.days[0].images == tables(drift, None)[0].quiet[0].images == wanted
    *_, check = verdicts.of_features(drift)
    assert check.actual == f"p = 0.5, {wanted} images"


def test_hundreds_of_broken_cameras_stay_readable():
    [table] = tables(day(*[broken(f"{number:03d}", BLUR) for number in range(300)]), None)
    assert (len(table.rows), table.hidden) == (50, 250)


def test_kinds_of_one_segment_stand_in_one_row_with_its_accuracy():
    answers = typed(ContentDrift, samples.CONTENT_DRIFT).model_copy(
        update={"segments": (broken("door-1", kind="content"), segment("door-2", kind="content"))}
    )
    [table] = tables(day(broken("door-1", DARK), segment("door-2")), answers, {("camera", "door-2"): "91 %"})
    assert table.rows[0].changes == ("darker", "content: other content than is usual there")
    assert (table.quiet[0].accuracy, table.judged) == ("91 %", True)


def test_the_report_has_the_segment_in_its_headline_and_its_pictures():
    facts = day_facts(drift=day(broken("door-17", BLUR), *USUAL))
    [number] = [number for number in sections.summary(facts).numbers if number.name == "Segments that changed"]
    assert (number.value, number.note.startswith("the day as a whole: as usual, 0 of")) == ("1 of 139", True)
    assert kinds(facts.drift, None)[0].verdict.word == "as usual"
    assert sections.summary(facts).headline.startswith("The images changed (1 of 139 cameras: door-17, blurred")
    assert chosen(facts)["segment camera door-17"] == [("a", ""), ("b", "")]


@pytest.mark.parametrize(
    ("one", "many"), [("camera", "cameras"), ("city", "cities"), ("lens", "lenses"), ("day", "days")]
)
def test_segmentations_have_a_plural(one, many):
    assert plural(one) == many
