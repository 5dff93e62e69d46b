"""What the sections share: classes that every part of the product can hold, and empty sections."""

from __future__ import annotations

import pytest

from driftwatch.config.parts import class_names, folded, refuse_alike


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["cat", "dog/wolf"], "can be no folder"),
        (["cat", ".."], "can be no folder"),
        (["cat", ""], "is empty"),
        (["cat", " dog"], "begins or ends with a space"),
        (["cat", "a\nb"], "line end"),
        (["cat", "Unclear"], "is taken"),
        (["cat", True], "put it in quotes"),
        (["cat", 1.5], "put it in quotes"),
        (["cat", None], "is a null"),
        (["cat", "d" * 300], "longer than 200 bytes"),
    ],
)
def test_a_name_that_no_folder_form_or_column_holds_is_refused(names, why):
    with pytest.raises(ValueError, match=why):
        class_names(names)


def test_whole_numbers_are_classes_as_text():
    assert class_names([0, 1, "2"]) == ["0", "1", "2"]


@pytest.mark.parametrize("names", [("Cat", "cat"), ("caf\u00e9", "cafe\u0301")])
def test_names_that_a_person_cannot_tell_apart_are_refused(names):
    assert folded(names[0]) == folded(names[1])
    with pytest.raises(ValueError, match="distinct"):
        refuse_alike(names)
