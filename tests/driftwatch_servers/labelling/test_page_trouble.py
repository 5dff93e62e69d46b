"""The labelling page when something is wrong: haste, a token that was taken away, a server that is away, another web site."""

from __future__ import annotations

from driftwatch_servers.labelling.source import Haste

from .day import TOKENS, Day, Site
from .pages import Open, choose


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
