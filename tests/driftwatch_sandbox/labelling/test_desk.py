"""People of the team as workers: the same rules as for any worker, nothing lost, nothing twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.toloka.project import build_pool, build_project
from driftwatch.storage import Storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.label import open_pool as open_demo_pool
from driftwatch_sandbox.private_files import write_private
from driftwatch_sandbox.toloka.labelling.desk import read_people
from driftwatch_sandbox.toloka.labelling.view import UnknownComponent, read_view

from .people import ANSWERS, TOKENS, answer, given, open_pool, person, plan, take

TOKEN = "AQAD-token"


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
    body = build_pool(config, plan(project.id))
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


@pytest.mark.parametrize(
    "view",
    [
        {"type": "view.video", "url": {"type": "data.input", "path": "x"}},
        {"type": "view.image", "url": "https://example.org/fixed.png"},
        {"type": "field.button-radio-group", "data": {"type": "data.output", "path": "r"}, "options": [], "validation": {"type": "condition.any"}},
    ],
)  # fmt: skip
def test_a_view_that_the_page_does_not_draw_is_refused_by_name(view: dict[str, Any]) -> None:
    project = {"task_spec": {"view_spec": {"type": "tb", "config": json.dumps({"view": view})}}}
    with pytest.raises(UnknownComponent, match="is not drawn"):
        read_view(project)


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"ana": "short"}', '{"ana": "the-same-token", "ben": "the-same-token"}', "no json"]
)
def test_a_bad_file_of_people_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "people.json"
    write_private(path, content)
    with pytest.raises(ValueError, match=r"people\.json"):
        read_people(path)


def test_a_file_of_people_that_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps(TOKENS))
    path.chmod(0o644)
    with pytest.raises(ValueError, match=r"others may read it \(mode 644\); run chmod 600 .*people\.json"):
        read_people(path)
    write_private(path, json.dumps(TOKENS))
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_people(path) == TOKENS


def test_the_demos_pool_asks_people_about_its_last_day(market: Any, config: MonitorConfig) -> None:
    storage, layout = Storage(config.storage.uri), MonitorLayout(config.name)
    pictures = {f"demo/incoming/2026-01-07/{number}.jpg": b"\xff\xd8\xff" + bytes([number]) for number in range(12)}
    entries = [{"image_id": hashlib.sha256(data).hexdigest(), "key": key} for key, data in pictures.items()]
    for key, data in pictures.items():
        storage.write_bytes(key, data)
    control = [{**entry, "label": "cat"} for entry in entries[9:]]
    cost = {"total": 1.0, "reward_per_page": 0.05, "tasks_per_page": 9}
    storage.write_json(
        layout.day(week.DAYS[-1]).annotation,
        {"sample": entries[:9], "control": control, "cost": cost, "overlap": 3, "state": "closed", "pool_id": "1"},
    )
    world = SimpleNamespace(
        storage=Path(storage.root),
        url=lambda name: market.url if name == "toloka" else "http://images.test",
        secrets=SimpleNamespace(toloka_token=TOKEN, image_secret="secret"),
    )
    pool_id = open_demo_pool(world, config)
    page = take(person(market, "ana"), pool_id)
    assert page is not None
    shown = [task["inputs"]["image"] for task in page["tasks"]]
    assert len(set(shown)) == 10
    assert all(url.startswith("http://images.test/demo/days/") and "signature=" in url for url in shown)
