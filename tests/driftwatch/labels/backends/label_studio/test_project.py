"""What people see in a project, and what its title and description say."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.label_studio.project import (
    Standing,
    closing,
    day_of,
    hotkeys,
    key_of,
    label_config,
    title_of,
)

END = datetime(2026, 11, 22, 6, 30, tzinfo=timezone.utc)


def test_a_title_ends_in_the_day_and_its_key_and_is_short_enough(small_monitor):
    config = small_monitor(annotation={"project_name": "Which animal is it that you see there? " * 3})
    title = title_of(config, "2026-11-20")
    assert len(title) == 50
    assert title.endswith(f" 2026-11-20 {key_of('demo', '2026-11-20')}")
    assert day_of(title, "demo") == date(2026, 11, 20)
    assert day_of(title, "another") is None
    assert day_of("Cats of Friday", "demo") is None
    assert day_of(title_of(config, "2026-11-20 supplement 1"), "demo") == date(2026, 11, 20)


def test_every_value_is_escaped():
    choices = ['<b>"cat"</b>', "dog's", "a&b"]
    root = ElementTree.fromstring(label_config('Cat & "dog" <or> not?', choices))
    assert root.find("Header").get("value") == 'Cat & "dog" <or> not?'
    assert [choice.get("value") for choice in root.iter("Choice")] == choices


@pytest.mark.parametrize(
    ("choices", "keys"),
    [
        (["cat", "dog", "unclear"], ["1", "2", "3"]),
        ([*"0123456789", "unclear"], [*"0123456789", "q"]),
        (["7", "cat", "1"], ["7", "2", "1"]),
        ([f"c{number}" for number in range(12)], [*"1234567890qw"]),
    ],
)
def test_keys_and_the_key_of_a_digit_is_that_digit(choices, keys):
    assert [hotkeys(choices)[choice] for choice in choices] == keys


def test_with_a_hundred_choices_one_is_found_by_typing_and_no_key_is_given_twice():
    choices = [f"class {number}" for number in range(100)]
    root = ElementTree.fromstring(label_config("Which?", choices))
    assert root.find("Filter").get("toName") == "answer"
    keys = [choice.get("hotkey") for choice in root.iter("Choice") if choice.get("hotkey")]
    assert len(keys) == len(set(keys)) == 24
    assert ElementTree.fromstring(label_config("Which?", choices[:3])).find("Filter") is None


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("closed", [None, END - timedelta(hours=3)])
def test_a_description_says_what_it_was_made_from(complete, closed):
    standing = Standing(END, closed, complete and closed is not None)
    text = standing.text("cats", "2026-11-20")
    assert Standing.of("7", text) == standing
    assert Standing.of("7", f"Ours! {text} Thanks.") == standing
    assert bool(closing(standing)) == (closed is not None)


@pytest.mark.parametrize("text", [None, "", "Ours.", "Answers count until 2026-99-99T00:00:00Z."])
def test_a_description_without_an_end_says_what_to_write(text):
    with pytest.raises(NeedsAttention, match=r"project 7 .*write `Answers count until"):
        Standing.of("7", text)
