"""The day's accuracy in each way in which it is known, and how far the estimate from scores is to be trusted."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.report.known import day_facts
from tests.driftwatch.view.typed import DAY, a_day, content, typed

from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.ingest import Ingest, LateFiles
from driftwatch.view.days import Day
from driftwatch.view.report.accuracy_section import changed, late, trust, ways
from driftwatch.view.shares import whole_percent

ESTIMATE = typed(Estimate, samples.ESTIMATE)


def share(value: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 60, **more}


def test_a_day_of_which_nothing_is_known_has_no_way() -> None:
    assert ways(day_facts()) == []


def test_labels_come_before_the_estimate() -> None:
    found = ways(day_facts(estimate=ESTIMATE, performance=typed(Performance, samples.PERFORMANCE)))
    assert [found[0].name, found[-1].name] == ["Agreement with the labels", "By the scores alone"]


def test_the_estimate_of_a_large_day_says_of_how_many_images_it_is_made() -> None:
    of_all, of_sample = samples.INGEST, {**samples.INGEST, "accepted": 250_000, "judged": 100_000}
    (whole,), (sampled,) = (ways(day_facts(estimate=ESTIMATE, ingest=typed(Ingest, of))) for of in (of_all, of_sample))
    assert whole.note == "an estimate from the morning on, without labels"
    assert sampled.note == f"{whole.note}, from a random sample of 100,000 of the day's 250,000 images"


def test_an_undefined_accuracy_says_why_and_has_no_bar() -> None:
    (measured, *_) = ways(day_facts(performance=typed(Performance, samples.NO_LABELS)))
    assert (measured.text, measured.note, measured.chart) == ("–", "no image of the sample has a label", "")


@pytest.mark.parametrize("estimate", [None, typed(Estimate, samples.NO_HOLDOUT)])
def test_where_there_is_no_estimate_there_is_nothing_to_trust(estimate: Estimate | None) -> None:
    assert trust(day_facts(estimate=estimate)) == []


def test_what_scores_cannot_see_is_always_said_last_with_what_the_benchmark_has(root: Path) -> None:
    (said,) = trust(day_facts(estimate=ESTIMATE))
    assert said.startswith("Scores see a day that is harder for the model")
    with (root / "docs/benchmarks/judgement/performance_without_labels.csv").open() as file:
        (blurred,) = (row for row in csv.DictReader(file) if row["damage"] == "blur 5")
    told = f"they said {whole_percent(float(blurred['estimate']))} of photos blurred until {whole_percent(float(blurred['accuracy']))} of"
    assert told in said


def test_an_estimate_of_shifted_answers_is_not_to_be_trusted_and_that_is_said_first() -> None:
    found = trust(
        day_facts(estimate=ESTIMATE, drift=a_day(drift="drifted").drift, content_drift=content("ok", "drifted"))
    )
    assert found[0].startswith("Do not trust the estimate from scores today: the model answers cat ")
    assert found[1].startswith("The images changed, and scores are calibrated for images as they were")
    assert len(found) == 3


def past(back: int, estimated: float, accuracy: float, version: str) -> Day:
    found = typed(
        Performance,
        samples.PERFORMANCE,
        estimated=share(estimated),
        accuracy=share(accuracy),
        corrected=None,
        model_version=version,
    )
    return Day(DAY - timedelta(days=back), performance=found)


def test_the_estimates_record_is_of_this_model_alone_and_keeps_its_sign() -> None:
    version = typed(Ingest, samples.INGEST).model_version
    history = [past(3, 0.9, 0.2, "v0099-00000000"), past(2, 0.8, 0.9, version), past(1, 0.82, 0.8, version)]
    (record, _) = trust(day_facts(estimate=ESTIMATE, history=history))
    assert record == (
        "On 2 labelled days of this model shown here it was off by -4.0 points on average, -10.0 at most."
    )


def test_another_version_of_productions_is_another_model_in_the_estimates_record() -> None:
    known = past(1, 0.82, 0.8, typed(Ingest, samples.INGEST).model_version)
    assert known.performance is not None
    history = [
        replace(known, performance=known.performance.model_copy(update={"serving_version": serving}))
        for serving in ("7", "8")
    ]
    estimate = ESTIMATE.model_copy(update={"serving_version": "8"})
    (record, _) = trust(day_facts(estimate=estimate, history=history))
    assert record.startswith("On 1 labelled day of this model shown here")


def test_late_images_say_what_the_accuracy_then_stands_for() -> None:
    assert late(day_facts(ingest=typed(Ingest, samples.INGEST, late=0))) == []
    (said,) = late(day_facts(ingest=typed(Ingest, samples.INGEST, accepted=1300, late=100)))
    assert said.startswith("100 of 1,300 images came after the day's sample was drawn.")
    assert "drawn at random from the 1,200 that were there" in said


def test_late_images_say_who_of_them_was_asked_and_what_the_budget_left_out() -> None:
    ingest = typed(Ingest, samples.INGEST, accepted=1300, late=100)
    drawn = {"number": 1, "images": 100, "share": 0.2, "surplus": ["a", "b"]}
    part = {**samples.PLAN, "late": drawn, "sample": samples.PLAN["sample"][:20], "pool_id": "2"}
    plan = typed(AnnotationPlan, samples.PLAN, supplements=[part])
    (said,) = late(day_facts(ingest=ingest, annotation=plan))
    assert (
        "People are asked about 20 of them too, each with the chance of the others: the accuracy is that of all."
        in said
    )
    assert said.endswith("2 labels of images that had a greater chance are left out of it.")
    plan = typed(AnnotationPlan, samples.PLAN, not_asked={"images": 100, "reason": "the month's limit is spent"})
    (said,) = late(day_facts(ingest=ingest, annotation=plan))
    assert said.endswith(
        "Nobody is asked about 100 of them: the month's limit is spent. The accuracy stands for 1,200 of 1,300 images."
    )


def test_files_that_no_number_counts_are_told_with_what_takes_them_in() -> None:
    files = typed(LateFiles, samples.LATE_FILES, files=1)
    (said,) = late(day_facts(ingest=typed(Ingest, samples.INGEST, late=0), late_files=files))
    assert said.startswith("1 file came after the day was taken in, and no number here counts them.")
    assert "Publishing a correction" in said


def test_a_verdict_that_changed_is_told_with_both_and_one_that_stayed_is_not() -> None:
    before = {"revision": 1, "verdict": "ok", "accuracy": 0.9, "labels": 30, "model_version": "v1"}
    same = {"labels": 50, "accuracy": share(0.8), "revisions": [before]}
    rows = [
        Day(DAY - timedelta(days=back), performance=typed(Performance, samples.PERFORMANCE, verdict=verdict, **same))
        for back, verdict in ((1, "ok"), (0, "alert"))
    ]
    assert changed(day_facts(history=rows)) == [f"{DAY}: ok (30 labels, 90 %), now alert (50 labels, 80 %)"]
