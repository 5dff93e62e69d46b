"""The log of a day in words: sums that hold, reasons that a person understands."""

from __future__ import annotations

from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.answers import AnswerCounts, Answers
from driftwatch.view.answers import log_rows

from .typed import typed


def said(**changes) -> dict[str, str]:
    return dict(log_rows(typed(Answers, samples.ANSWERS, **changes)))


def test_a_day_without_a_log_says_nothing_of_one():
    assert log_rows(None) == []


def test_every_row_and_image_is_accounted_for_with_the_reasons():
    assert said() == {
        "Production's log": "104 rows of 1 file = 97 used + 2 earlier answers + 3 without an image (2 of files that did not come and "
        "1 quarantined) + 2 refused (1 cut short and 1 of an unknown class)",
        "Images it answered": "97 of 100; 3 have no answer, and count nowhere",
        "Odd in the log": "unknown classes ferret; 4 class names in another case; 1 answers that are not the class with the highest score",
    }


def test_a_plain_log_has_two_short_lines():
    plain = {"rows": 97, "earlier": 0, "without_image": 0, "refused": 0, "images": 97, "unanswered": 0}
    assert said(**plain, unknown_classes=[], other_case=0, not_the_highest=0) == {
        "Production's log": "97 rows of 1 file = 97 used",
        "Images it answered": "97 of 97",
    }


def test_missing_scores_and_what_a_rerun_changed_are_said():
    before = {
        **{name: samples.ANSWERS[name] for name in AnswerCounts.model_fields},
        "rows": 90,
        "used": 80,
        "unanswered": 20,
    }
    found = said(scores=False, before=before)
    assert found["Odd in the log"].endswith("no scores: what needs them is not available")
    assert (
        found["Changed since"] == "an earlier run found 90 rows of 1 file, used 80, and had 20 images without an answer"
    )
