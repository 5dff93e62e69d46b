"""The keys of answers: digits where they suffice, a class that is a digit has it, and no key begins another."""

from __future__ import annotations

from itertools import pairwise

import pytest

from driftwatch.labels.hotkeys import hotkeys

DIGITS = tuple("0123456789")


def test_up_to_nine_choices_have_the_digits_in_their_order() -> None:
    assert hotkeys(("cat", "dog"), "unclear") == {"cat": "1", "dog": "2", "unclear": "3"}
    nine = tuple(f"c{place}" for place in range(9))
    assert list(hotkeys(nine, None).values()) == list("123456789")
    assert sorted(hotkeys(nine, "unclear").values()) == [*"123456789", "x"]


def test_a_class_whose_name_is_a_digit_has_that_digit() -> None:
    assert hotkeys(DIGITS, "unclear") == {**{digit: digit for digit in DIGITS}, "unclear": "x"}
    assert hotkeys(("3", "1", "other"), "unclear") == {"3": "3", "1": "1", "other": "2", "unclear": "4"}


def test_codes_of_two_digits_begin_with_no_class_s_own_digit() -> None:
    many = hotkeys(("7", *(f"c{place}" for place in range(30))), "unclear")
    assert many["7"] == "7"
    assert (many["c0"], many["c5"], many["unclear"]) == ("01", "06", "x")
    assert hotkeys(tuple(f"c{place}" for place in range(100)), None)["c99"] == "00"
    assert hotkeys(tuple(f"c{place}" for place in range(101)), None)["c41"] == "042"


@pytest.mark.parametrize("own", range(11))
@pytest.mark.parametrize("others", [0, 1, 8, 9, 10, 26, 99, 100, 101, 991])
def test_no_key_is_the_beginning_of_another(own: int, others: int) -> None:
    classes = (*DIGITS[:own], *(f"c{place}" for place in range(others)))
    keys = hotkeys(classes, "unclear")
    assert len(keys) == (
        own + others + 1 if own < 10 else 11
    )  # with all digits taken, the others are found by their names
    given = sorted(keys.values())
    assert not [one for one, next_one in pairwise(given) if next_one.startswith(one)]


def test_without_codes_the_first_have_a_digit() -> None:
    keys = hotkeys(tuple(f"c{place}" for place in range(12)), "unclear", codes=False)
    assert list(keys.values()) == ["x", *"123456789"]
