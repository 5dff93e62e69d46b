"""People of the team as workers: the same rules as for any worker, nothing lost, nothing twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
import toloka.client as toloka

from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.toloka.project import build_pool, build_project
from driftwatch_sandbox.toloka.desk import DeskSessions
from driftwatch_sandbox.toloka.store import Store
from driftwatch_servers.labelling.sessions import HOURS, Sessions
from driftwatch_servers.private_files import write_private

from ..people import ANSWERS, TOKENS, answer, given, open_pool, person, plan, take


@pytest.fixture
def market(peoples_market: Any) -> Any:
    return peoples_market


def test_two_people_at_once_never_get_the_same_task_twice(market: Any, config: MonitorConfig, images: str) -> None:
    pool_id = open_pool(market, config, images, tasks=40)

    together = Barrier(2)

    def work(name: str) -> list[str]:
        client, seen = person(market, name), []
        together.wait(30)
        page = take(client, pool_id)
        together.wait(30)  # neither is done before the other has begun
        end = time.monotonic() + 40
        while time.monotonic() < end and market.kit.get_pool(pool_id).is_open():
            if page is None:
                time.sleep(0.3)
                page = take(client, pool_id)
                continue
            for task in page["tasks"]:
                seen.append(task["inputs"]["image"])
                answer(client, page, task)
            page = take(client, pool_id)
        return seen

    with ThreadPoolExecutor(2) as pool:
        ana, ben = pool.map(work, TOKENS)
    assert max(Counter(ana).values()) == max(Counter(ben).values()) == 1
    real = {f"{images}/{number}.png" for number in range(40)}
    assert not (set(ana) & set(ben) & real)
    assert (set(ana) | set(ben)) >= real
    assert all(len(answers) == 1 for answers in given(market, pool_id).values())
    assert market.closed(pool_id).last_close_reason.value == "COMPLETED"


def test_a_page_shows_no_truth_and_no_hidden_field(market: Any, config: MonitorConfig, images: str) -> None:
    pool_id = open_pool(market, config, images)
    page = take(person(market, "ana"), pool_id)
    assert page is not None
    assert len(page["tasks"]) == 10
    assert all(set(task) == {"id", "inputs"} and set(task["inputs"]) == {"image"} for task in page["tasks"])
    assert page["view"]["keys"] == {str(n): {"field": "result", "value": a} for n, a in enumerate(ANSWERS, start=1)}


def test_wrong_control_answers_shut_a_person_out_with_the_reason(
    market: Any, config: MonitorConfig, images: str
) -> None:
    pool_id, client = open_pool(market, config, images, tasks=40), person(market, "ana")
    for _ in range(3):
        page = take(client, pool_id)
        assert page is not None
        for task in page["tasks"]:
            answer(client, page, task, "dog")
    assert take(client, pool_id) is None
    (shown,) = client.get("/pools").json()["pools"]
    assert "control" in shown["closed_to_you"]
    assert take(person(market, "ben"), pool_id) is not None


def undo(client: httpx.Client, pool_id: str) -> dict[str, Any] | None:
    return client.post(f"/pools/{pool_id}/undo", json={}).raise_for_status().json()["taken_back"]


def test_undo_goes_back_into_the_page_that_was_handed_in_before_and_each_answer_counts_once(
    market: Any, config: MonitorConfig, images: str
) -> None:
    pool_id, ana = open_pool(market, config, images, tasks=18), person(market, "ana")
    first = take(ana, pool_id)
    assert first is not None
    assert undo(ana, pool_id) is None
    for task in first["tasks"]:
        answer(ana, first, task, "dog")
    second = take(ana, pool_id)
    assert second is not None
    answer(ana, second, second["tasks"][0])
    back = undo(ana, pool_id)
    assert back is not None
    assert (back["page"]["id"], back["task_id"]) == (second["id"], second["tasks"][0]["id"])
    for task in reversed(first["tasks"][-2:]):
        back = undo(ana, pool_id)
        assert back is not None
        assert (back["page"]["id"], back["task_id"]) == (first["id"], task["id"])
    assert len(back["page"]["answers"]) == 8
    assert take(ana, pool_id)["id"] == first["id"]  # type: ignore[index]
    for task in first["tasks"][-2:]:
        progress = answer(ana, first, task, "cat")
    assert progress["handed_in"]
    assert take(ana, pool_id)["id"] == second["id"]  # type: ignore[index]
    answers = [value for values in given(market, pool_id).values() for value in values]
    assert len(answers) == 9
    for task in second["tasks"]:
        answer(ana, second, task)
    assert all(len(values) == 1 for values in given(market, pool_id).values())
    assert market.closed(pool_id).last_close_reason.value == "COMPLETED"
    assert undo(ana, pool_id) is None  # the pool is closed
    work = ana.get(f"/pools/{pool_id}/work").json()
    assert (work["answered"], work["more"]) == (20, False)


def test_a_page_that_was_judged_stays_as_it_is(market: Any, config: MonitorConfig, images: str) -> None:
    pool_id, ana = open_pool(market, config, images), person(market, "ana")
    page = take(ana, pool_id)
    assert page is not None
    for task in page["tasks"]:
        answer(ana, page, task)
    market.kit.accept_assignment(page["id"], "thank you")
    assert undo(ana, pool_id) is None
    assert len(given(market, pool_id)) == 9


def test_a_page_says_how_near_a_person_is_to_being_shut_out_for_haste(
    market: Any, config: MonitorConfig, images: str
) -> None:
    rules = config.labels.quality.model_copy(update={"fast_max": 3, "fast_seconds": 60})
    labels = config.labels.model_copy(update={"quality": rules})
    pool_id, ana = open_pool(market, config.model_copy(update={"labels": labels}), images), person(market, "ana")
    for fast in range(2):
        page = take(ana, pool_id)
        assert page is not None
        assert page["haste"] == {"fast": fast, "most": 3, "seconds": 60}
        for task in page["tasks"]:
            answer(ana, page, task)


def test_only_a_known_token_gets_in_and_a_page_belongs_to_who_took_it(
    market: Any, config: MonitorConfig, images: str
) -> None:
    pool_id = open_pool(market, config, images)
    stranger = httpx.Client(base_url=f"{market.url}/label")
    assert stranger.get("/pools").status_code == 401
    assert stranger.post("/login", json={"token": "guess-guess-guess"}).status_code == 401
    assert stranger.post(f"/pools/{pool_id}/page", json={}).status_code == 401
    ana = person(market, "ana")
    page = take(ana, pool_id)
    assert page is not None
    assert take(ana, pool_id)["id"] == page["id"]  # type: ignore[index]
    body = {"task_id": page["tasks"][0]["id"], "output_values": {"result": "cat"}}
    ben = person(market, "ben")
    assert ben.post(f"/pages/{page['id']}/answers", json=body).status_code == 404
    assert ben.post(f"/pages/{page['id']}/skip", json={}).status_code == 404
    assert (
        ana.post(f"/pages/{page['id']}/answers", json={**body, "output_values": {"result": "cow"}}).status_code == 400
    )


def test_a_skipped_page_comes_free_for_others(market: Any, config: MonitorConfig, images: str) -> None:
    pool_id, ana = open_pool(market, config, images, tasks=9), person(market, "ana")
    page = take(ana, pool_id)
    assert page is not None
    answer(ana, page, page["tasks"][0])
    assert take(person(market, "ben"), pool_id) is None
    ana.post(f"/pages/{page['id']}/skip", json={}).raise_for_status()
    assert market.pool_state(pool_id)["assignments"] == {"SKIPPED": 1}
    assert given(market, pool_id) == {}
    assert take(person(market, "ben"), pool_id) is not None


def test_a_page_whose_time_is_over_takes_no_answer_and_comes_free(
    market: Any, config: MonitorConfig, images: str
) -> None:
    project = market.kit.create_project(build_project(config))
    body = build_pool(config, plan(project.id, config), "2026-01-05")
    body.assignment_max_duration_seconds = 1
    pool = market.kit.create_pool(body)
    market.upload(pool.id, [f"{images}/{number}.png" for number in range(9)])
    market.upload(pool.id, [f"{images}/{900 + number}.png" for number in range(3)], known=["cat"] * 3)
    market.open(pool.id)
    ana = person(market, "ana")
    page = take(ana, pool.id)
    assert page is not None
    time.sleep(1.2)
    late = {"task_id": page["tasks"][0]["id"], "output_values": {"result": "cat"}}
    assert ana.post(f"/pages/{page['id']}/answers", json=late).status_code == 409
    assert take(person(market, "ben"), pool.id) is not None
    assert market.pool_state(pool.id)["assignments"]["EXPIRED"] == 1


def test_a_pool_is_served_by_people_the_crowd_or_both(
    serve_market: Callable[..., Any], config: MonitorConfig, images: str, tmp_path: Path
) -> None:
    write_private(tmp_path / "people.json", json.dumps(TOKENS))
    market = serve_market(people=tmp_path / "people.json", crowd=True, crowd_speed=2000.0)
    for_people = open_pool(market, config, images, served_by=["people"])
    for_crowd = open_pool(market, config, images, served_by=["crowd"])
    assert market.closed(for_crowd, 30).last_close_reason.value == "COMPLETED"
    assert market.pool_state(for_people)["assignments"] == {}
    client = person(market, "ana")
    assert [pool["id"] for pool in client.get("/pools").json()["pools"]] == [for_people]
    assert take(client, for_people) is not None
    assert take(person(market, "ben"), for_crowd) is None


def test_logins_outlive_a_restart_and_those_that_ended_are_removed(tmp_path: Path) -> None:
    now = [1000.0]
    store = Store(str(tmp_path / "t.db"))
    secret = Sessions(DeskSessions(store), lambda: now[0]).open("ana")
    store.close()
    store = Store(str(tmp_path / "t.db"))
    sessions = Sessions(DeskSessions(store), lambda: now[0])
    assert sessions.name(secret) == "ana"
    now[0] += HOURS * 3600
    other = sessions.open("ben")
    assert [kept["name"] for kept in store.find("sessions")] == ["ben"]
    sessions.close(other)
    assert store.find("sessions") == []
    store.close()


def test_a_project_that_the_page_cannot_draw_says_why_and_hands_out_no_page(
    market: Any, config: MonitorConfig, images: str
) -> None:
    tb = toloka.project.template_builder
    video = toloka.project.TemplateBuilderViewSpec(view=tb.view.VideoViewV1(tb.data.InputData("image"), ratio=[1, 1]))
    project = market.project()
    project.task_spec.view_spec = video
    pool = market.pool(market.kit.create_project(project).id)
    market.upload(pool.id, [f"{images}/{number}.png" for number in range(4)])
    market.open(pool.id)
    refused = person(market, "ana").post(f"/pools/{pool.id}/page", json={})
    assert (refused.status_code, "view.video is not drawn" in refused.json()["message"]) == (501, True)
    assert market.pool_state(pool.id)["assignments"] == {}
