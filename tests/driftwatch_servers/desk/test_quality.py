"""Who is warned, who is shut out, and what becomes of their answers."""

from __future__ import annotations

from .desks import RULES, Desk, Person


def test_haste_is_warned_of_first_then_shuts_out_and_its_answers_go_to_others(desk: Desk):
    desk.opened(images=20, control=5, overlap=1)
    ana, ben = desk.person("ana"), desk.person("ben")
    page = ana.take()
    assert page["haste"] == {"fast": 0, "most": 2, "seconds": 5.0}
    ana.fill(page, seconds=0.5)
    second = ana.take()
    assert second["haste"]["fast"] == 1
    ana.fill(second, seconds=0.5)
    assert ana.take() is None
    assert "too fast; you may go on after 10 days" in ana.closed_because()
    assert {row["counted"] for row in desk.given()} == {False}
    assert len(ben.work()) == 25
    assert sum(row["counted"] and row["known"] is None for row in desk.given()) == 20


def test_also_where_one_fast_page_is_too_many_a_warning_comes_first(desk: Desk):
    desk.opened(images=20, rules=RULES.model_copy(update={"fast_max": 1}))
    ana = desk.person("ana")
    ana.fill(ana.take(), seconds=0.1)
    assert ana.closed_because() == ""
    assert ana.take()["haste"] == {"fast": 1, "most": 2, "seconds": 5.0}


def test_a_short_page_may_be_as_much_faster_as_it_is_shorter(desk: Desk):
    desk.opened(images=1, control=0)
    ana = desk.person("ana")
    page = ana.take()
    assert page["haste"]["seconds"] == 1.0
    ana.fill(page, seconds=1.5)
    assert [row["counted"] for row in desk.given()] == [True]


def test_wrong_control_tasks_shut_out_of_the_project_alone_and_only_for_the_bans_days(desk: Desk):
    a_day = RULES.model_copy(update={"ban_days": 1})
    desk.opened(images=40, control=10, rules=a_day)
    desk.opened(images=4, control=0, key="other.2026-11-20", project="other")
    ana = desk.people.add("ana", 30)
    person = Person(desk, ana)
    for _ in range(3):
        person.fill(person.take(), "dog")
    assert "answered wrong; you may go on after a day" in person.closed_because()
    assert person.take() is None
    assert person.http.get("/pools/cats.2026-11-20/work").json()["more"] is False
    assert person.closed_because("other.2026-11-20") == ""
    assert person.take("other.2026-11-20") is not None
    desk.clock.now += 86_401
    again, key = Person(desk, ana), "cats.2026-11-22"
    desk.api.headers["Authorization"] = f"Bearer {desk.clients.add('airflow', 1)}"
    desk.opened(images=8, key=key, rules=a_day)
    again.fill(again.take(key), "dog")
    assert again.closed_because(key) == ""  # what was before the ban is not counted once more


def test_pages_that_are_skipped_in_a_row_are_a_pause_and_what_was_skipped_comes_last(desk: Desk):
    desk.opened(images=12, control=0)
    ana = desk.person("ana")
    seen: list[set[str]] = []
    for _ in range(3):
        page = ana.take()
        seen.append({task["id"] for task in page["tasks"]})
        ana.skip(page)
    assert len(set.union(*seen)) == 12
    assert "3 pages in a row were skipped" in ana.closed_because()


def test_undo_reaches_into_the_page_before_but_not_into_one_that_was_judged(desk: Desk):
    desk.opened(images=12, control=0)
    ana = desk.person("ana")
    first = ana.take()
    ana.fill(first)
    second = ana.take()
    back = ana.undo()
    assert (back["page"]["id"], back["task_id"]) == (first["id"], first["tasks"][-1]["id"])
    assert ana.take()["id"] == first["id"]  # it comes first, and the one under way after it
    ana.give(back["page"], back["task_id"], "dog").raise_for_status()
    assert ana.take()["id"] == second["id"]
    assert {row["answer"] for row in desk.given() if row["image_id"] == back["task_id"]} == {"dog"}
    ana.fill(second, seconds=0.1)  # too fast: it is judged
    assert ana.undo() is None
    assert len({row["image_id"] for row in desk.given()}) == 8
