"""The labelling page in a browser: a day's images are answered by keyboard, forth and back, by one person and by two."""

from __future__ import annotations

from .day import Day, Site
from .pages import MANY, Open, choose
from .visitor import NARROW

DIGITS = tuple("0123456789")


def test_two_people_at_once_label_a_day_of_which_each_image_is_answered_once(at: Open) -> None:
    site = Site(Day(tasks=8, per_page=2))
    ana, ben = at(site, "ana"), at(site, "ben")
    seen: dict[str, str] = {}
    for _ in range(4):
        for who, answer in ((ana, "cat"), (ben, "dog")):
            assert who.number not in seen
            seen[who.number] = answer
            choose(who, answer)
    for who in (ana, ben):
        who.until("!done.hidden")
    assert site.day.given() == seen
    assert len(seen) == 8


def test_twenty_images_by_keyboard_and_at_the_end_thanks_numbers_and_what_comes_next(at: Open) -> None:
    site = Site(Day(tasks=20))
    ana = at(site, viewport=NARROW)
    given = {}
    for place in range(20):
        answer = ("cat", "dog", "unclear")[place % 3]
        given[ana.number] = answer
        choose(ana, answer)
    assert site.day.given() == given
    ana.until("document.activeElement.id === 'done-title'")
    said = ana.text("#done")
    assert "All done for today" in said
    assert "You labelled 20 images in 3 minutes. Thank you!" in said
    assert "come back tomorrow" in said
    assert ana.fits()
    assert ana.violations() == []
    last = list(given)[-1]
    ana.page.keyboard.press("u")
    ana.shown()
    assert ana.number == last


def test_who_waits_for_what_others_may_give_back_gets_it_by_itself(at: Open) -> None:
    site = Site(Day(tasks=2, per_page=1))
    site.day.more = True
    ben, ana = at(site, "ben"), at(site, "ana")
    ana.page.clock.install()
    choose(ana, "cat")
    ana.until("document.activeElement.id === 'done-title'")
    assert "No image for you at the moment" in ana.text("#done")
    site.day.left.append("0")
    ana.page.clock.run_for(3_000)
    ana.shown()
    assert ana.number == "0"
    assert ben.number == "0"


def test_a_class_that_is_a_digit_has_that_digit_and_unclear_a_letter(at: Open) -> None:
    site = Site(Day(DIGITS, tasks=4))
    ana = at(site)
    assert ana.page.locator(".answers button").count() == 11
    for key in ("7", "0", "x"):
        ana.type(key)
    assert list(site.day.given().values()) == ["7", "0", "unclear"]


def test_of_a_hundred_classes_one_is_chosen_by_two_digits_or_by_typing_a_part_of_its_name(at: Open) -> None:
    site = Site(Day(MANY, tasks=10))
    ana = at(site, viewport=NARROW)
    assert ana.page.locator("#work button:visible").count() < 10
    assert ana.fits()
    ana.type("4", "2")
    ana.page.keyboard.press("4")
    assert ana.text("#typed") == "4 …"
    ana.until("typed.textContent === ''")  # too late for a second digit
    ana.type("0", "1")
    ana.type("x")
    ana.type("/", *"left", "Enter")
    ana.until("document.activeElement.id === 'find'")  # the next image is answered in the same way
    recent = ana.page.locator("#found li bdi").all_inner_texts()[:3]
    assert recent == [MANY[96], "kind 000", "kind 041"]
    ana.type("ArrowDown", "ArrowDown", "Enter")
    ana.type(*"long name", "ArrowDown", "Enter")
    ana.type(*"cafe", "Enter")
    ana.type(*"قط", "Enter")
    ana.page.keyboard.type("no such name")
    assert "No answer has this in its name." in ana.text(".finder")
    assert ana.violations() == []
    ana.page.keyboard.press("Escape")
    ana.page.keyboard.press("Alt+u")
    ana.until("progress.textContent.startsWith('8 of')")
    ana.page.keyboard.press("Escape")
    ana.type("4", "2")
    assert list(site.day.given().values()) == [
        "kind 041", "kind 000", "unclear", MANY[96], "kind 000", MANY[97], "Café", "kind 041",
    ]  # fmt: skip


def test_undo_goes_back_over_the_end_of_a_page(at: Open) -> None:
    site = Site(Day(tasks=6, per_page=2))
    ana = at(site)
    numbers = []
    for _ in range(3):
        numbers.append(ana.number)
        choose(ana, "cat")
    for number in reversed(numbers):
        ana.type("u")
        assert ana.number == number
    ana.page.keyboard.press("u")
    ana.until("message.textContent.startsWith('There is no answer')")
    for number in numbers:
        assert ana.number == number
        choose(ana, "dog")
    assert site.day.given() == dict.fromkeys(numbers, "dog")
    assert [page.owner for page in site.day.pages] == ["ana", "ana"]
