"""Each section of the report as values: what it says of a day that is whole, of one that is half done, and of one that went wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.report.known import day_facts
from tests.driftwatch.view.typed import DAY, a_day, content, typed

from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.evidence import StratumSums
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest, LateFiles
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.segments import SegmentDrift
from driftwatch.view import tones
from driftwatch.view.report import files_section, sections
from driftwatch.view.report.files_section import MOST_FILES
from driftwatch.view.report.sections import MOST_OVER_TIME, Badge, Number

INGEST = typed(Ingest, samples.INGEST, listed=1700, accepted=1480, duplicate=200, quarantined=20)
DRIFTED = typed(DayDrift, samples.DAY_DRIFT)
PERFORMANCE = typed(Performance, samples.PERFORMANCE)


def numbers(**known: Any) -> dict[str, Number]:
    return {number.name: number for number in sections.summary(day_facts(**known)).numbers}


# The top


def test_a_day_that_was_only_taken_in_waits_and_claims_nothing() -> None:
    top = sections.summary(day_facts(ingest=INGEST))
    assert top.tone == tones.WAITING
    assert top.badges == [
        Badge(tones.WAITING, "Images: not known yet"),
        Badge(tones.WAITING, "Model: not known yet"),
    ]
    said = {number.name: (number.value, number.note) for number in top.numbers}
    assert said == {
        "Accuracy": ("–", "known once the labels are in"),
        "Features that moved": ("–", "not tested yet"),
        "Images accepted": ("1,480", "1,700 listed · 200 duplicate · 20 quarantined"),
        "Labels": ("–", "not asked for yet"),
    }


def test_the_day_has_the_tone_of_the_worse_of_its_two_verdicts() -> None:
    top = sections.summary(day_facts(drift=DRIFTED, performance=PERFORMANCE))
    assert [badge.text for badge in top.badges[:2]] == ["Images: changed", "Model: worse"]
    assert [badge.tone for badge in top.badges[:2]] == [tones.WARN, tones.BAD]
    assert top.tone == tones.BAD


def test_a_failure_comes_before_everything_else() -> None:
    top = sections.summary(day_facts(performance=PERFORMANCE, failure=typed(Failure, samples.FAILURE)))
    assert top.headline.startswith("The day failed at merge_annotations. ")
    assert top.badges[0] == Badge(tones.BAD, "Failed at merge_annotations")
    assert top.tone == tones.BAD


@pytest.mark.parametrize(("predictions", "said"), [("ok", []), ("drifted", ["Predictions: changed"])])
def test_another_kind_of_drift_has_a_badge_only_where_something_changed(predictions: str, said: list[str]) -> None:
    top = sections.summary(day_facts(drift=a_day(drift="ok").drift, content_drift=content("ok", predictions)))
    assert [badge.text for badge in top.badges[2:]] == said


def test_the_content_of_a_camera_alone_has_a_badge_too() -> None:
    changed = SegmentDrift(by="camera", name="door-1", kind="content", images=40, status="drifted")
    found = content("ok", "ok").model_copy(update={"segments": (changed,)})
    top = sections.summary(day_facts(drift=a_day(drift="ok").drift, content_drift=found))
    assert [badge.text for badge in top.badges[2:]] == ["Content: changed"]
    assert top.tone == tones.WARN


def test_late_images_of_both_sorts_are_one_badge() -> None:
    late = typed(Ingest, samples.INGEST, late=4)
    top = sections.summary(day_facts(ingest=late, late_files=typed(LateFiles, samples.LATE_FILES, files=3)))
    assert top.badges[-1] == Badge(tones.WARN, "7 images came late")


def test_ignored_files_are_counted_among_the_images_and_only_where_there_are_some() -> None:
    with_some = typed(Ingest, samples.INGEST, ignored=1200)
    assert numbers(ingest=with_some)["Images accepted"].note.endswith(" · 1,200 ignored")
    assert "ignored" not in numbers()["Images accepted"].note


def test_the_accuracy_has_its_interval_and_floor_and_the_verdicts_tone() -> None:
    assert numbers(performance=PERFORMANCE)["Accuracy"] == Number(
        "Accuracy", "64.8 %", "[60, 69] · floor 70 %", tones.BAD
    )


def test_an_accuracy_that_is_undefined_says_why_and_is_not_green() -> None:
    found = numbers(performance=typed(Performance, samples.NO_LABELS))["Accuracy"]
    assert found == Number("Accuracy", "–", "no image of the sample has a label", tones.UNSURE)


def test_an_estimate_stands_in_until_the_labels_are_in_and_is_marked_as_one() -> None:
    estimate = typed(Estimate, samples.ESTIMATE)
    found = numbers(estimate=estimate)["Accuracy"]
    assert (found.value, found.tone) == ("≈ 76 %", "")
    assert found.note == "[68, 82] by the scores, no labels yet"
    assert numbers(estimate=estimate, performance=PERFORMANCE)["Accuracy"].value == "64.8 %"
    assert numbers(estimate=typed(Estimate, samples.NO_HOLDOUT))["Accuracy"].value == "–"


def test_features_that_moved_are_counted_against_those_that_were_tested() -> None:
    moved = numbers(drift=DRIFTED)["Features that moved"]
    assert moved == Number("Features that moved", "11 of 16", "p = 0.0002 · alarm below 0.005", tones.WARN)


def test_too_few_images_for_a_test_are_not_called_unchanged() -> None:
    few = typed(DayDrift, samples.DAY_DRIFT, n=12, effective_n=12, p_value=None, verdict="not_enough_evidence")
    assert numbers(drift=few)["Features that moved"] == Number(
        "Features that moved", "–", "12 images: too few", tones.UNSURE
    )


def test_labels_are_first_asked_for_and_then_counted_against_the_sample() -> None:
    plan = typed(AnnotationPlan, samples.PLAN)
    assert numbers(annotation=plan)["Labels"].note == f"{len(plan.sample)} images asked about"
    assert numbers(annotation=plan, performance=PERFORMANCE)["Labels"].value == "426 of 440"


# The files


def manifest(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """(name below incoming/<day>, status, reason) of each."""
    table = pd.DataFrame(rows, columns=["key", "status", "reason"]).assign(bytes=10)
    table["key"] = f"demo/incoming/{DAY}/" + table["key"]
    return table


def test_what_went_wrong_comes_before_what_was_left_out_and_each_sort_is_in_order() -> None:
    table = manifest(
        ("z.txt", "ignored", "no image"),
        ("e.jpg", "duplicate", "same bytes as a.jpg"),
        ("c.jpg", "accepted", "no_end_mark"),
        ("b.jpg", "quarantined", "truncated"),
        ("a.jpg", "accepted", ""),
        ("sub/a.jpg", "quarantined", "too_small"),
    )
    found = files_section.files(day_facts(manifest=table))
    assert [(row.name, row.status) for row in found.rows] == [
        ("b.jpg", "quarantined"),
        ("sub/a.jpg", "quarantined"),
        ("c.jpg", "accepted"),
        ("e.jpg", "duplicate"),
        ("z.txt", "ignored"),
    ]
    assert found.more == 0


def test_of_very_many_files_the_rest_is_counted() -> None:
    many = manifest(*((f"{number:03d}.jpg", "quarantined", "truncated") for number in range(MOST_FILES + 7)))
    found = files_section.files(day_facts(manifest=many))
    assert (len(found.rows), found.more) == (MOST_FILES, 7)


def test_reasons_come_by_their_number_and_then_by_name() -> None:
    ingest = typed(Ingest, samples.INGEST, reasons={"truncated": 2, "too_small": 9, "not_an_image": 2})
    found = files_section.files(day_facts(ingest=ingest, manifest=manifest()))
    assert found.reasons == [("too_small", 9), ("not_an_image", 2), ("truncated", 2)]


def test_the_bar_has_a_part_for_ignored_files_only_where_there_are_some() -> None:
    def bar(**counts: int) -> str:
        return files_section.files(day_facts(ingest=typed(Ingest, samples.INGEST, **counts), manifest=manifest())).bar

    assert "ignored" in bar(listed=490, ignored=10)
    assert "ignored" not in bar()


# The features


def test_each_feature_has_its_bands_where_both_days_have_quantiles() -> None:
    first, second, *rest = samples.DAY_DRIFT["features"]
    drift = typed(DayDrift, samples.DAY_DRIFT, features=[first, {**second, "day_quantiles": []}, *rest])
    found = sections.features(day_facts(drift=drift))
    assert [row.column for row, _ in found] == [feature["feature"] for feature in samples.DAY_DRIFT["features"]]
    assert [bool(chart) for _, chart in found[:3]] == [True, False, True]
    assert sections.features(day_facts()) == []


def past_days(count: int) -> list[Any]:
    return [a_day(DAY - timedelta(days=back), drift="ok") for back in range(count, 0, -1)] + [a_day(DAY, drift="ok")]


def test_the_strongest_of_the_features_that_moved_are_drawn_over_the_days() -> None:
    found = sections.over_time(day_facts(drift=DRIFTED, history=past_days(3)))
    assert [row.column for row, _ in found] == list(DRIFTED.drifted_features[:MOST_OVER_TIME])
    assert all("<svg" in chart for _, chart in found)


def test_a_quiet_day_draws_its_strongest_feature_alone_and_an_untested_one_none() -> None:
    quiet = [{**feature, "verdict": "ok"} for feature in samples.DAY_DRIFT["features"]]
    untested = [{**feature, "p_value": None} for feature in quiet]
    drawn, none = (
        sections.over_time(day_facts(drift=typed(DayDrift, samples.DAY_DRIFT, features=rows), history=past_days(2)))
        for rows in (quiet, untested)
    )
    assert [row.column for row, _ in drawn] == [quiet[0]["feature"]]
    assert none == []
    assert sections.over_time(day_facts()) == []


def test_days_of_which_nothing_is_known_have_no_chart() -> None:
    assert sections.history(day_facts(history=[a_day(DAY)])) == ""
    assert "<svg" in sections.history(day_facts(history=past_days(1)))


# The model


def test_the_model_section_waits_for_the_labels() -> None:
    assert sections.performance(day_facts()) is None


def test_classes_come_in_the_matrixs_order_each_with_precision_recall_and_f1() -> None:
    found = sections.performance(day_facts(performance=PERFORMANCE))
    assert found is not None
    cat, dog = found.classes
    assert (cat.name, cat.support, dog.name, dog.support) == ("cat", 209, "dog", 217)
    assert [share.text for share, _ in cat.shares] == ["69.5 %", "50.2 %", "58.3 %"]
    assert found.reasons == PERFORMANCE.reasons
    assert found.holdout == "86.7 %"


def test_a_stratified_sample_says_what_the_counts_of_the_matrix_are() -> None:
    plain = sections.performance(day_facts(performance=PERFORMANCE))
    assert plain is not None
    assert plain.weighed == ""
    assert PERFORMANCE.evidence is not None
    strata = (StratumSums(name="all", images=900, cells=((0, 0, 1),), scores=PERFORMANCE.evidence.scores),)
    evidence = PERFORMANCE.evidence.model_copy(update={"strata": strata})
    found = sections.performance(day_facts(performance=PERFORMANCE.model_copy(update={"evidence": evidence})))
    assert found is not None
    assert "as a plain sample of as many labels would have them" in found.weighed


def test_a_model_without_a_holdout_has_an_unknown_accuracy_there_and_not_zero() -> None:
    nothing = {"value": None, "low": None, "high": None, "n": 0, "reason": "no image was held out"}
    found = sections.performance(
        day_facts(performance=typed(Performance, samples.PERFORMANCE, holdout_accuracy=nothing))
    )
    assert found is not None
    assert found.holdout == "unknown"


def test_the_model_is_named_with_its_origin_its_holdout_and_its_answers() -> None:
    card = typed(ModelCard, samples.CARD, parent="v0001-2f099e5a")
    answers = pd.DataFrame({"prediction": ["dog", "dog", "dog", "cat"]})
    rows = dict(sections.model(day_facts(card=card, predictions=answers)))
    assert rows["Version"] == samples.INGEST["model_version"]
    assert rows["Comes from"] == f"{card.created_by}, after v0001-2f099e5a"
    assert rows["On its holdout"] == "91.3 % of 150 images"
    assert rows["Its answers"] == "cat 25 % and dog 75 % of 4 images"


def test_a_model_without_a_card_or_an_answer_has_its_version_alone() -> None:
    rows = dict(sections.model(day_facts(predictions=pd.DataFrame({"prediction": []}))))
    assert list(rows) == ["Version", "New models of these days"]


def test_a_class_that_was_never_answered_is_said_to_have_none() -> None:
    rows = dict(sections.model(day_facts(predictions=pd.DataFrame({"prediction": ["dog"]}))))
    assert rows["Its answers"] == "cat 0 % and dog 100 % of 1 image"


def test_a_file_that_lies_apart_is_named_below_the_days_folder():
    root = "s3://cams/prod/2026/01/08"
    table = manifest(("a.jpg", "quarantined", "truncated")).assign(key=f"{root}/door/a.jpg")
    found = files_section.files(day_facts(ingest=typed(Ingest, samples.INGEST, images_root=root), manifest=table))
    assert [row.name for row in found.rows] == ["door/a.jpg"]
