"""The versions of a day side by side: one text for each, whoever shows it."""

from __future__ import annotations

from datetime import date

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.drift import ContentDrift
from driftwatch.view.versions import line, lines, model_name, scored, unpredicted, versions, without_a_part

from .typed import typed
from .version_days import EIGHT, FEW, NINE, SEVEN, performance, share, version


def test_each_version_has_its_numbers_and_the_serving_one_the_days_verdict() -> None:
    found = versions(performance(SEVEN, EIGHT, NINE))
    assert found is not None
    seven, eight, nine = found.rows
    assert [(row.name, row.serving, row.answers) for row in found.rows] == [
        ("7", True, "500 images, 83 %"), ("8", False, "60 images, 10 %"), ("9", False, "40 images, 7 %"),
    ]  # fmt: skip
    assert (seven.verdict.word, eight.verdict.word, nine.verdict.word) == ("holds", "worse", "not enough evidence")
    assert (seven.difference, eight.difference) == ("", "-24.1 points [-36, -13]")
    assert nine.difference == "9 has 3 labels; a comparison needs 30"
    assert eight.judged == "71 % [61, 81] on 64 labels of 3 days, corrected"
    assert nine.judged == "–"
    assert found.about == "The verdict of the day is about 7, which answered the most images."


def test_a_line_says_the_same() -> None:
    assert lines(performance(SEVEN, EIGHT, NINE)) == [
        "7 (500 images, 83 %): 94.1 % [84, 100] on 140 labels: holds",
        "8 (60 images, 10 %): 70 % [60, 80] on 50 labels, -24.1 points [-36, -13]: worse",
        "9 (40 images, 7 %): 90 % [80, 100] on 3 labels, 9 has 3 labels; a comparison needs 30: not enough evidence",
    ]


def test_of_many_versions_the_lines_are_cut_and_the_rest_counted() -> None:
    rows = [SEVEN, *(version(str(n), 10, 3, 0.9, difference=FEW) for n in range(10, 16))]
    assert lines(performance(*rows))[-1] == "and 3 more"
    assert len(lines(performance(*rows))) == 5


def test_why_a_version_serves_is_told() -> None:
    named = versions(performance(version("9", 40, 30, 0.9), EIGHT | {"answered": 60}))
    assert named is not None
    assert named.about == "The verdict of the day is about 9, which model.serving_version names."
    tied = versions(performance(SEVEN | {"answered": 60}, EIGHT))
    assert tied is not None
    assert "about 7. 7 and 8 answered as many images each, and it is the first by name" in tied.about


def test_classes_are_compared_where_two_versions_have_enough_labels() -> None:
    found = versions(performance(SEVEN, EIGHT, NINE))
    assert found is not None
    assert [(row.name, [said.text for said in row.recalls]) for row in found.classes] == [
        ("cat", ["94.1 %", "70 %", "–"]), ("dog", ["74.1 %", "50 %", "–"]),
    ]  # fmt: skip
    alone = versions(performance(SEVEN, NINE))
    assert alone is not None
    assert alone.classes == ()


def test_of_many_classes_those_furthest_apart_are_shown_in_their_order() -> None:
    names = [f"c{n:02d}" for n in range(30)]
    matrix = {"labels": names, "rows": [[0] * 30] * 30}
    ours = SEVEN | {"recall": {name: share(0.9, 20) for name in names}}
    theirs = EIGHT | {"recall": {name: share(0.9 - n / 100, 20) for n, name in enumerate(names)}}
    found = versions(performance(ours, theirs, confusion_matrix=matrix))
    assert found is not None
    assert [row.name for row in found.classes] == names[18:]
    assert found.more == 18


def test_in_the_morning_there_are_estimates_and_predictions_and_no_accuracy() -> None:
    estimates = [{"version": name, "accuracy": share(0.9, n), "mean_score": 0.9} for name, n in (("7", 90), ("8", 10))]
    estimate = typed(Estimate, samples.ESTIMATE, serving_version="7", versions=estimates)
    tests = [{**samples.CONTENT_DRIFT["predictions"], "version": name, "verdict": verdict} for name, verdict in (("7", "ok"), ("8", "drifted"))]  # fmt: skip
    drift = typed(ContentDrift, samples.CONTENT_DRIFT, versions=tests)
    found = versions(None, drift, estimate)
    assert found is not None
    assert [(row.answers, row.estimate, row.predictions.word) for row in found.rows] == [
        ("90 images, 90 %", "90 % [80, 100]", "as usual"), ("10 images, 10 %", "90 % [80, 100]", "changed"),
    ]  # fmt: skip
    assert {row.verdict.word for row in found.rows} == {"not known yet"}
    assert line(found.rows[0]) == "7 (90 images, 90 %)"
    assert versions(None, drift) is not None  # a log without scores has no estimate


@pytest.mark.parametrize("known", [None, typed(Performance, samples.PERFORMANCE)])
def test_one_version_shows_nothing(known: Performance | None) -> None:
    assert versions(known, typed(ContentDrift, samples.CONTENT_DRIFT), typed(Estimate, samples.ESTIMATE)) is None
    assert lines(known) == []
    assert model_name(known, "v1") == "v1"
    if known:
        assert scored(known) == f"{known.labels} of them have a label and are scored."
        assert scored(known.model_copy(update={"labels": 1})) == "1 of them has a label and is scored."
        assert (unpredicted(known), without_a_part(known)) == ("", "")


def test_a_name_from_outside_is_one_printable_line() -> None:
    odd = performance(SEVEN | {"version": "a\x1b[2J\nb"}, EIGHT, serving_version="a\x1b[2J\nb")
    assert lines(odd)[0].startswith("a\\x1b[2J b (500 images")
    assert model_name(odd, "v1") == "a\\x1b[2J b (registered as v1)"


def test_what_became_of_the_other_labels_is_told() -> None:
    found = performance(SEVEN, EIGHT, NINE, unpredicted=7)
    assert without_a_part(found) == ", 53 of other versions, 7 without an answer"
    assert scored(found).startswith("193 of them have a label and an answer; 140 (73 %) were answered by 7")
    assert unpredicted(found).startswith("Production answered 193 of 200 labelled images. The other 7 have no answer")
    alone = typed(Performance, samples.PERFORMANCE, unpredicted=1, labels=9, day=date(2026, 1, 5).isoformat())
    assert unpredicted(alone).startswith("Production answered 9 of 10 labelled images.")
