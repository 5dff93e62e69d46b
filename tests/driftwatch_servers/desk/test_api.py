"""The desk's API: what may be repeated, what is refused, and who is heard."""

from __future__ import annotations

import httpx
import pytest

from .desks import KEY, Desk, running_desk, tasks


def refused(desk: Desk, method: str, path: str, body: object = None) -> tuple[int, str]:
    answer = desk.api.request(method, path, json=body)
    return answer.status_code, answer.json()["message"]


def test_a_batch_that_is_brought_twice_is_there_once(desk):
    body = desk.batch()
    first, second = (desk.api.put(f"/batches/{KEY}", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    for _ in range(2):
        assert desk.ask("PUT", f"/batches/{KEY}/tasks", {"tasks": tasks(5, 2)})["tasks"] == 7
    for _ in range(2):
        assert desk.ask("POST", f"/batches/{KEY}/open", {"tasks": 7})["state"] == "open"
    assert desk.api.put(f"/batches/{KEY}", json=body).status_code == 200
    for _ in range(2):
        assert desk.ask("POST", f"/batches/{KEY}/close")["close_reason"] == "MANUAL"


def test_half_a_batch_is_never_shown(desk):
    desk.ask("PUT", f"/batches/{KEY}", desk.batch())
    desk.ask("PUT", f"/batches/{KEY}/tasks", {"tasks": tasks(3)})
    status, said = refused(desk, "POST", f"/batches/{KEY}/open", {"tasks": 5})
    assert (status, "has 3 tasks and not 5" in said) == (409, True)
    assert desk.person("ana").http.get("/pools").json() == {"pools": []}


def test_a_draft_may_be_brought_anew_and_what_people_have_seen_stays(desk):
    desk.ask("PUT", f"/batches/{KEY}", desk.batch(question="Cat?"))
    desk.ask("PUT", f"/batches/{KEY}/tasks", {"tasks": tasks(3)})
    assert desk.ask("PUT", f"/batches/{KEY}", desk.batch(question="Dog?"))["tasks"] == 0
    desk.opened(question="Dog?")
    status, said = refused(desk, "PUT", f"/batches/{KEY}", desk.batch(question="Cow?"))
    assert (status, "it stays as it is" in said) == (409, True)
    assert desk.ask("PUT", f"/batches/{KEY}", desk.batch(question="Dog?"))["tasks"] == 12


def test_an_open_batch_takes_more_tasks_and_other_links_but_no_other_truth(desk):
    desk.opened(images=2, control=1)
    more = [{**task, "link": f"{task['link']}?signature=2"} for task in tasks(3, 1)]
    assert desk.ask("PUT", f"/batches/{KEY}/tasks", {"tasks": more})["tasks"] == 4
    page = desk.person("ana").take()
    assert all(task["inputs"]["image"].endswith("?signature=2") for task in page["tasks"])
    other = [{**tasks(1)[0], "known": "dog"}]
    assert refused(desk, "PUT", f"/batches/{KEY}/tasks", {"tasks": other})[0] == 409


def test_links_are_renewed_for_a_page_that_is_under_way(desk):
    desk.opened(images=2, control=0)
    ana = desk.person("ana")
    page = ana.take()
    links = {task["id"]: f"https://images.example.org/{task['id']}?new" for task in page["tasks"]}
    desk.ask("POST", f"/batches/{KEY}/links", {"links": links})
    again = ana.take()
    assert again["id"] == page["id"]
    assert {task["id"]: task["inputs"]["image"] for task in again["tasks"]} == links
    assert refused(desk, "POST", f"/batches/{KEY}/links", {"links": {"other": "http://x/y"}})[0] == 404


def test_after_its_end_a_batch_takes_no_answer_and_says_so(desk):
    desk.opened()
    ana = desk.person("ana")
    page = ana.take()
    ana.give(page, page["tasks"][0]["id"]).raise_for_status()
    desk.ask("POST", f"/batches/{KEY}/close")
    late = ana.give(page, page["tasks"][1]["id"])
    assert (late.status_code, "takes no more answers" in late.json()["message"]) == (409, True)
    assert ana.undo() is None
    assert ana.take() is None
    assert len(desk.given()) == 1


def test_a_batch_ends_with_its_time(desk):
    desk.opened(images=3, control=0)
    desk.clock.now += 3601
    assert desk.person("ana").http.get("/pools").json() == {"pools": []}
    assert (desk.state()["state"], desk.state()["close_reason"]) == ("closed", "EXPIRED")
    assert refused(desk, "PUT", f"/batches/{KEY}/tasks", {"tasks": tasks(4)})[0] == 409


def test_progress_leaves_control_tasks_out_of_its_counts_and_in_its_hours(desk):
    desk.opened(images=4, control=1)
    ana = desk.person("ana")
    ana.fill(ana.take(), seconds=36)
    done = desk.ask("GET", f"/batches/{KEY}/progress")
    assert done == {"answered_images": 4, "answers": 4, "hours": pytest.approx(0.05)}


def test_answers_come_in_parts_the_last_one_of_each_person_alone(desk):
    desk.opened(images=4, control=0)
    ana = desk.person("ana")
    page = ana.take()
    first = page["tasks"][0]["id"]
    ana.give(page, first, "dog").raise_for_status()
    ana.give(page, first, "unclear").raise_for_status()
    ana.fill({**page, "tasks": page["tasks"][1:]})
    found, after = [], 0
    while after is not None:
        part = desk.ask("GET", f"/batches/{KEY}/answers?limit=3&after={after}")
        found, after = found + part["answers"], part["after"]
        assert len(part["answers"]) <= 3
    others = [(task["id"], "cat") for task in page["tasks"][1:]]
    assert [(row["image_id"], row["answer"]) for row in found] == [(first, "unclear"), *others]
    assert {row["page_seconds"] for row in found} == {50.0}


def test_instructions_are_kept_without_what_could_run_or_load(desk):
    wild = '<p onclick="x()">Look &amp; <b>see</b>.<script>steal()</script><a href="javascript:x()">more</a></p>'
    desk.opened(instructions=wild)
    (pool,) = desk.person("ana").http.get("/pools").json()["pools"]
    assert pool["instructions"] == "<p>Look &amp; <b>see</b>.<a>more</a></p>"


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (f"/batches/{KEY}", {"question": "x"}, "project"),
        ("/batches/with%20blank", None, "key"),
        (f"/batches/{KEY}/tasks", {"tasks": []}, "tasks"),
        (f"/batches/{KEY}/tasks", {"tasks": [{"image_id": "a", "link": "javascript:x()"}]}, "link"),
        (f"/batches/{KEY}/tasks", {"tasks": tasks(1001)}, "tasks"),
        (f"/batches/{KEY}/tasks", {"tasks": tasks(1) * 2}, "twice"),
    ],
    ids=["no project", "bad key", "no task", "bad link", "many", "twice"],
)
def test_a_body_that_cannot_be_is_refused_with_its_field(desk, path, body, named):
    status, said = refused(desk, "PUT", path, body or desk.batch())
    assert status == 400
    assert named in said


def test_a_body_that_is_too_large_is_refused(desk):
    answer = desk.api.put(f"/batches/{KEY}", content=b"x" * (17 * 2**20), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_the_api_needs_a_token_of_its_own_and_wrong_ones_are_heard_ten_times_a_minute(desk):
    ana = desk.person("ana")
    for headers in ({}, {"Authorization": f"Bearer {ana.token}"}, {"Cookie": ana.http.headers["Cookie"]}):
        answer = httpx.get(f"{desk.url}/api/v1/account", headers=headers)
        assert (answer.status_code, "token" in answer.json()["message"]) == (401, True)
    guesses = [httpx.get(f"{desk.url}/api/v1/account", headers={"Authorization": f"Bearer no{n}"}) for n in range(11)]
    assert [answer.status_code for answer in guesses] == [401] * 9 + [429] * 2
    assert desk.api.get("/account").status_code == 429


def test_a_token_of_the_api_is_worth_nothing_once_it_is_revoked_or_has_ended(desk):
    assert desk.ask("GET", "/account") == {"name": "client 0", "people": 0}
    desk.clock.now += 86_401
    assert desk.api.get("/account").status_code == 401
    desk.api.headers["Authorization"] = f"Bearer {desk.clients.add('airflow', 1)}"
    assert desk.ask("GET", "/account")["name"] == "airflow"
    desk.clients.revoke("airflow")
    assert desk.api.get("/account").status_code == 401


def test_a_token_that_the_server_is_started_with_is_heard(tmp_path):
    with running_desk(f"sqlite:///{tmp_path}/desk.db", token="from-the-environment") as desk:
        said = httpx.get(f"{desk.url}/api/v1/account", headers={"Authorization": "Bearer from-the-environment"})
        assert said.json()["name"] == "airflow"


def test_nothing_that_a_browser_is_sent_tells_a_control_task(desk):
    desk.opened(images=8, control=4, control_per_page=2)
    ana = desk.person("ana")
    page = ana.take()
    assert {(*task, *task["inputs"]) for task in page["tasks"]} == {("id", "inputs", "image")}
    assert set(page) == {"id", "tasks", "view", "due", "done", "answers", "haste"}
    (pool,) = ana.http.get("/pools").json()["pools"]
    assert set(pool) == {"id", "name", "project", "instructions", "done", "closed_to_you"}


def test_a_forgotten_image_gets_another_name_everywhere_and_its_answers_stay(desk):
    desk.opened(images=3, control=0)
    ana = desk.person("ana")
    page = ana.take()
    old, new = page["tasks"][0]["id"], "f0" * 32
    ana.give(page, old, "dog").raise_for_status()
    before = desk.state()
    assert [desk.ask("POST", f"/batches/{KEY}/blank", {"names": {old: new}}) for _ in range(2)] == [
        {"tasks": 1},
        {"tasks": 0},
    ]
    assert desk.state() == before
    again = {task["id"]: task["inputs"]["image"] for task in ana.take()["tasks"]}
    assert again[new] == "https://forgotten.invalid/"
    assert old not in again
    assert [(given["image_id"], given["answer"]) for given in desk.given()] == [(new, "dog")]
