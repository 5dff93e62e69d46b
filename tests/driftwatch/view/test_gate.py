"""The gate's reasons in words: each finding has its sentence, with its numbers, and says what would settle it where evidence lacks."""

from __future__ import annotations

from typing import Any

import pytest

from driftwatch.artifacts.retraining import GateRules, PairedComparison, RolesRight
from driftwatch.models.gate_rules import Finding, Reason
from driftwatch.view.gate import reason_text

RULES = GateRules(min_evaluation_labels=100, max_clean_drop=0.02, max_class_drop=0.1, gate_confidence=0.95)
PAIRED = PairedComparison(
    n=200, right=RolesRight(champion=150, challenger=170), won=30, lost=10, difference=0.1, low=0.0512, high=0.15, p_value=0.0011
)  # fmt: skip
NO_IMAGE = PairedComparison(n=0, won=0, lost=0, difference=None, low=None, high=None, p_value=None)
NUMBERS = "+10.0% (at least +5.1%; 30 won, 10 lost of 200)"


def said(finding: Finding, compared: PairedComparison | None = PAIRED, **more: Any) -> str:
    return reason_text(Reason(finding, compared, **{"name": "cat", "classes": 2, **more}), RULES)


@pytest.mark.parametrize("finding", Finding)
def test_each_finding_is_one_whole_sentence_or_more(finding: Finding) -> None:
    text = said(finding, too_few={"cat": 3}, needed=400)
    assert text[0].isupper() or text[0].isdigit()
    assert text.endswith((".", ".)"))


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding.RECENT_BETTER, f"Recent days: {NUMBERS}: better (exact McNemar p = 0.0011)."),
        (Finding.RECENT_NOT_BETTER, f"Recent days: {NUMBERS}: not better."),
        (Finding.CLEAN_NOT_WORSE, f"Clean images: {NUMBERS}: not worse by more than retraining.max_clean_drop allows 2.0%."),
        (Finding.CLASS_WORSE, f"Class cat on clean images: {NUMBERS}: worse by more than retraining.max_class_drop allows 10.0%."),
        (Finding.CLASS_COLLAPSED, "Class cat: recall on clean images collapsed from 75.0% to 85.0%."),
    ],
)  # fmt: skip
def test_what_decides_has_its_numbers_and_its_setting(finding: Finding, text: str) -> None:
    assert said(finding) == text


def test_without_an_image_there_is_no_difference_to_tell() -> None:
    assert said(Finding.RECENT_TOO_FEW, NO_IMAGE).startswith("Recent days: no evaluation image; ")
    assert said(Finding.CLEAN_NONE, NO_IMAGE).startswith("Clean images: no evaluation image; without a holdout")


@pytest.mark.parametrize(
    "finding", [Finding.RECENT_PERHAPS_BETTER, Finding.CLEAN_PERHAPS_WORSE, Finding.CLASSES_TOO_FEW]
)
def test_where_evidence_lacks_the_images_that_would_settle_it_are_told(finding: Finding) -> None:
    assert "about 400" in said(finding, needed=400)
    assert "more than " in said(finding, needed=None)


def test_classes_with_too_few_images_are_named_with_how_many_they_have() -> None:
    text = said(Finding.CLASSES_TOO_FEW, None, classes=3, too_few={"cat": 3, "dog": 7}, needed=40)
    assert text.startswith("2 of 3 classes have too few clean evaluation images")
    assert "cat (3), dog (7)" in text
