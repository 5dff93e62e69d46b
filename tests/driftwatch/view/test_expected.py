"""How scores agree, and what a model would be better with, in words."""

from __future__ import annotations

from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.recheck import Agreement, Recheck
from driftwatch.models.diagnosis import Better, Diagnosis
from driftwatch.models.expected import Tried
from driftwatch.models.metrics import share
from driftwatch.models.variations import TRANSPOSED, Variation
from driftwatch.view.expected import (
    OrderWords,
    better_words,
    expected_words,
    recheck_rows,
    tried_lines,
    wrong_challenger_words,
    wrong_words,
)

from .typed import typed

SAME = Agreement(images=9, largest=0.001, median=0.0, other_class=0, agrees=True)
OTHER = Agreement(images=9, largest=0.5, median=0.1, other_class=2, agrees=False)


def rechecked(**changes: object) -> str:
    ((_, said),) = recheck_rows(typed(Recheck, samples.RECHECK, **changes))
    return said


def test_a_day_without_a_recheck_says_nothing() -> None:
    assert recheck_rows(None) == []


def test_a_recheck_that_agrees_is_told_by_its_differences() -> None:
    said = rechecked(agrees=True, largest=0.003, other_class=0)
    assert said == (
        "production's answers are those of v0001-0a1b2c3d's file: largest difference 0.003, median 0.0004, all in the same class, of 64 images"
    )


def test_a_recheck_that_differs_warns_and_says_what_tells_more() -> None:
    said = rechecked()
    assert said.startswith(
        "warning: production's answers are not those of v0001-0a1b2c3d's file: largest difference 0.31"
    )
    assert "2 in another class" in said
    assert "--expect" in said


def test_answers_without_scores_are_compared_by_their_classes_alone() -> None:
    assert "2 of 64 images in another class; production writes no scores" in rechecked(scores=False)


def test_the_table_has_the_best_settings_and_always_the_file_as_it_is() -> None:
    about = ModelInput.square(32)
    tried = [Tried(Variation(about, (f"pad_value: {number}",)), SAME, 0.1) for number in range(9)]
    lines = tried_lines([*tried, Tried(Variation(about), OTHER, 0.2)])
    assert len(lines) == 1 + 6 + 1
    assert lines[1].split() == ["0.001", "0", "0", "pad_value:", "0"]
    assert lines[-1].endswith("the monitor file as it is")


def test_settings_are_named_as_they_stand_in_the_monitor_file() -> None:
    both = Better(("scale: 0..1", TRANSPOSED), ("dog", "cat"), 0.9)
    assert better_words(both, OrderWords()) == f"model.input.scale: 0..1, {TRANSPOSED} and classes: [dog, cat]"
    assert better_words(Better((), ("dog", "cat"), 0.9), OrderWords(positive="dog")) == "model.positive_class: cat"
    mixed = Better((), ("b", "a", "c"), 0.9)
    assert better_words(mixed, OrderWords(by_name=("a", "b", "c"))) == "its class a being b and b being a"


def test_a_refusal_says_the_accuracy_what_would_be_better_and_what_to_do() -> None:
    found = Diagnosis(share(50, 100, 0.95), 0.5, 0.5, 0.0001, (Better(("colour: bgr",), None, 0.97),))
    said = wrong_words(found, "own.onnx")
    assert said.startswith("own.onnx is right on 50.0%")
    assert "no better than chance: its answers, shuffled, are right on 50.0% (p = 0.5)" in said
    assert "It would be right on 97.0% with model.input.colour: bgr." in said
    assert said.endswith("run the same command again; or add --accept to take the model as it is.")


def test_a_team_is_told_what_is_wrong_with_the_model_that_it_brought() -> None:
    order = Diagnosis(share(10, 100, 0.95), 0.5, 1.0, 0.0001, (Better((), ("dog", "cat"), 0.9),))
    assert wrong_challenger_words(order, "v0002") == (
        "v0002 is right on 10.0% (5.5% to 17.4%, n 100) of held-out images, no better than chance (50.0%). If its outputs were [dog, cat], it would "
        "be right on 90.0%: they must be in the order of `classes` in manifest.json. Export it again in that order, and register that file"
    )
    guesses = Diagnosis(share(50, 100, 0.95), 0.5, 0.5, 0.0001, ())
    assert "no better than chance (50.0%). Look at what it was trained on" in wrong_challenger_words(guesses, "v0002")
    assert wrong_challenger_words(Diagnosis(share(90, 100, 0.95), 0.5, 0.0001, 0.0001, ()), "v0002") == ""


def test_a_difference_beyond_the_limit_is_told_with_the_limit() -> None:
    assert expected_words(SAME, "a.csv").startswith("The scores in a.csv are the model's: ")
    assert expected_words(OTHER, "a.csv").endswith("Two programs that do the same differ by at most 0.02")
