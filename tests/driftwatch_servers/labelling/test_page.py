"""The labelling page in a browser: answers by keyboard, a closer look, back and forth, and what happens when something is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from driftwatch_servers.labelling.source import Haste
from driftwatch_servers.serving import running

from .day import TOKENS, Day, Site
from .visitor import NARROW, Visitor

DIGITS = tuple("0123456789")
MANY = (
    *(f"kind {place:03d}" for place in range(96)),
    "a long name that no button can show, seen from the left",
    "a long name that no button can show, seen from the right",
    "قطة",
    "Café",
)
Open = Callable[..., Visitor]


@pytest.fixture
def at(browser: Any) -> Iterator[Open]:
    """Opens the page of a site for somebody who then logs in."""
    with ExitStack() as stack:
        served: dict[int, str] = {}

        def opened(site: Site, name: str = "ana", **context: Any) -> Visitor:
            if id(site) not in served:
                served[id(site)] = stack.enter_context(running(site.app()))
                site.day.images = f"{served[id(site)]}/images"
            visitor = Visitor(browser, f"{served[id(site)]}/label/", **context)
            stack.callback(visitor.close)
            visitor.log_in(TOKENS[name])
            return visitor

        yield opened


def choose(visitor: Visitor, answer: str, classes: Sequence[str] = ("cat", "dog")) -> None:
    visitor.type(str(1 + (*classes, "unclear").index(answer)))


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


def test_an_image_is_looked_at_closer_by_key_wheel_and_mouse_until_the_next_one_comes(at: Open) -> None:
    ana = at(Site(Day()), reduced_motion="reduce")
    page, image = ana.page, ana.page.locator("#work img")

    def scale() -> float:
        return round(page.evaluate("new DOMMatrix(document.querySelector('#work img').style.transform).a"), 2)

    def left() -> float:
        return float(page.evaluate("new DOMMatrix(document.querySelector('#work img').style.transform).e"))

    assert page.evaluate("getComputedStyle(document.querySelector('#work img')).transitionDuration") == "0s"
    page.keyboard.press("z")
    assert (scale(), page.locator("#zoom").get_attribute("aria-pressed")) == (2.5, "true")
    before = left()
    page.keyboard.press("ArrowRight")
    assert left() < before
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    assert left() == 0  # the image does not leave its frame
    page.keyboard.press("Escape")
    assert scale() == 1
    page.keyboard.press("+")
    assert scale() == 1.25
    page.keyboard.press("-")
    assert scale() == 1
    image.click()
    assert scale() == 2.5
    before, box = left(), page.locator(".frame").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 100, steps=3)
    page.mouse.up()
    assert (scale(), left() - before) == (2.5, 60)  # a drag is no click
    choose(ana, "cat")
    assert (scale(), page.locator("#zoom").get_attribute("aria-pressed")) == (1, "false")
    page.mouse.wheel(0, -100)
    ana.until("new DOMMatrix(document.querySelector('#work img').style.transform).a === 1.25")


def test_an_image_that_does_not_come_takes_no_answer_but_unclear_and_its_new_link_is_asked_for(at: Open) -> None:
    site = Site(Day(tasks=3), lost={"0": 0, "1": 0})
    ana = at_failed(at, site)
    assert "cannot be shown" in ana.text(".missing")
    assert "choose “unclear”, or skip the page" in ana.text(".missing")
    assert ana.violations() == []
    ana.page.keyboard.press("1")
    assert ana.page.locator(".answers button:enabled").all_inner_texts() == ["unclear 3"]
    assert site.day.given() == {}
    choose(ana, "unclear")
    assert ana.number == "1"
    ana.shown("failed")
    site.day.link = 1  # links were renewed
    ana.page.keyboard.press("r")
    ana.shown()
    choose(ana, "cat")
    assert site.day.given() == {"0": "unclear", "1": "cat"}


def test_an_image_that_takes_long_may_be_called_unclear_and_is_answered_when_it_has_come(at: Open) -> None:
    site = Site(Day(tasks=5))
    ana = at(site)
    ana.page.clock.install()
    held: list[Any] = []
    ana.page.route(re.compile("/images/[34].png"), lambda route: held.append(route))
    for _ in range(2):
        choose(ana, "cat")
    ana.page.keyboard.press("1")
    ana.shown("loading")
    ana.page.keyboard.press("1")
    ana.until("message.textContent.startsWith('The image is still loading')")
    ana.page.clock.run_for(10_000)
    ana.shown("slow")
    assert ana.page.locator(".answers button:enabled").all_inner_texts() == ["unclear 3"]
    for route in held:
        route.continue_()
    ana.shown()
    choose(ana, "dog")
    assert site.day.given() == {"0": "cat", "1": "cat", "2": "cat", "3": "dog"}


def at_failed(at: Open, site: Site) -> Visitor:
    """A visitor whose first image fails."""
    lost, site.lost = site.lost, {}
    ana = at(site)
    site.lost = lost
    ana.page.reload()
    ana.until("document.activeElement.closest('#pools')")
    ana.page.keyboard.press("Enter")
    ana.shown("failed")
    return ana


def test_who_is_near_to_being_shut_out_for_haste_is_warned_before(at: Open) -> None:
    site = Site(Day(tasks=6, per_page=2))
    site.day.haste = Haste(0, 3, 9)
    ana = at(site)
    assert ana.page.locator("#warning").is_hidden()
    site.day.haste = Haste(1, 3, 9)
    choose(ana, "cat")
    choose(ana, "cat")
    assert "less than 9 s counts as too fast; 2 more shut you out" in ana.text("#warning")
    site.day.haste = Haste(2, 3, 9)
    choose(ana, "cat")
    choose(ana, "cat")
    ana.until("haste.open")
    assert "the next one shuts you out" in ana.text("#haste")
    assert ana.violations() == []
    ana.page.keyboard.press("1")  # who goes on typing answers nothing
    assert len(site.day.given()) == 4
    ana.page.keyboard.press("Enter")
    choose(ana, "dog")
    site.day.shut["ana"] = "answers too fast"
    choose(ana, "dog")
    ana.until("!done.hidden")
    assert "The reason: answers too fast" in ana.text("#done")


def test_a_token_that_was_taken_away_ends_at_the_next_request_and_the_answer_is_not_kept(at: Open) -> None:
    site = Site(Day())
    ana = at(site)
    choose(ana, "cat")
    del site.people["ana"]
    ana.page.keyboard.press("1")
    ana.until("document.activeElement.id === 'token'")
    assert "You were logged out" in ana.text("#message")
    assert ana.page.locator("#work").is_hidden()
    assert len(site.day.given()) == 1
    ana.page.keyboard.type(TOKENS["ana"])
    ana.page.keyboard.press("Enter")
    ana.until("message.textContent.startsWith('nobody has this token')")


def test_an_answer_that_the_server_did_not_take_is_told_and_can_be_given_again(at: Open) -> None:
    site = Site(Day())
    ana = at(site)
    ana.page.route("**/answers", lambda route: route.abort())
    ana.page.keyboard.press("1")
    ana.until("message.textContent.startsWith('The server did not answer')")
    assert (ana.number, site.day.given()) == ("0", {})
    ana.page.unroute("**/answers")
    choose(ana, "dog")
    assert ana.page.locator("#message").is_hidden()
    site.day.pages[0].over = True  # its time has passed
    ana.page.keyboard.press("1")
    ana.until("message.textContent === 'this page is over'")
    ana.shown()
    assert (ana.number, site.day.given()) == ("10", {"0": "dog"})


def test_another_web_site_cannot_answer_in_somebody_s_name(at: Open) -> None:
    site = Site(Day())
    ana = at(site)
    there = f"{ana.url}pages/0/answers"
    other = ana.context.new_page()  # of the same browser, which has ana's cookie
    other.goto(there.split("/label")[0].replace("127.0.0.1", "localhost") + "/elsewhere")
    heard = []
    other.on("response", lambda answer: heard.append(answer.status))
    read = other.evaluate(
        """([url, body]) => Promise.all(["application/json", "text/plain"].flatMap((type) => ["cors", "no-cors"].map((mode) =>
            fetch(url, {method: "POST", mode, credentials: "include", headers: {"Content-Type": type}, body})
                .then((answer) => answer.status, () => 0))))""",
        [there, '{"task_id": "0", "output_values": {"result": "dog"}}'],
    )
    assert read == [0, 0, 0, 0]
    assert heard  # it did reach the server
    assert min(heard) >= 400
    assert site.day.given() == {}
    choose(ana, "cat")
    assert site.day.given() == {"0": "cat"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_breaks_no_rule_of_axe_core(at: Open, scheme: str) -> None:
    few = at(Site(Day()), color_scheme=scheme)
    assert few.violations() == []
    few.page.keyboard.press("i")
    assert few.text("#instructions > div") == "Choose the larger one."
    assert few.page.evaluate("window.hacked") is None
    assert few.violations() == []
    few.page.keyboard.press("Escape")
    few.page.keyboard.press("s")
    few.until("sure.open")
    assert few.violations() == []
    few.page.keyboard.press("Escape")
    few.page.locator("#leave").click()
    few.until("document.activeElement.closest('#pools')")
    assert few.violations() == []
    few.page.locator("#logout").click()
    few.until("document.activeElement.id === 'token'")
    assert few.violations() == []
    many = at(Site(Day(MANY)), color_scheme=scheme)
    assert many.violations() == []
    many.page.keyboard.press("/")
    many.page.keyboard.type("kind 0")
    assert many.violations() == []


def test_all_of_the_page_is_reached_with_the_tab_key_and_the_focus_stays_from_image_to_image(at: Open) -> None:
    ana = at(Site(Day()), viewport=NARROW)
    reached = {}
    for _ in range(12):
        ana.page.keyboard.press("Tab")
        name, outline = ana.page.evaluate(
            "[document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]"
        )
        if len(name) < 40:  # else it is the whole page, between the last and the first
            reached[name] = outline
    wanted = ["Instructions i", "Log out", "cat 1", "dog 2", "unclear 3", "Undo u", "Zoom z", "Skip the page s", "Other pools"]  # fmt: skip
    assert reached == dict.fromkeys(wanted, "solid")
    ana.page.locator(".answers button").first.focus()
    ana.type(" ")
    assert ana.page.evaluate("document.activeElement.textContent") == "cat 1"
