"""A day's campaign against the Toloka stand-in over real HTTP: killed at any request and repeated, it makes one pool."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from toloka.client.exceptions import InternalApiError, TooManyRequestsApiError

from driftwatch.config.monitor_files import load_monitor
from driftwatch.errors import AccessRefused
from driftwatch.http import Limits
from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient, TolokaError, TolokaUnreachable
from driftwatch.labels.backends.toloka.pool import Campaign
from driftwatch.labels.backends.toloka.upload import AnnotationFailed
from driftwatch.labels.links import ImageLinks, ImageServer
from driftwatch.labels.plan import OverBudget, cost_of
from driftwatch.storage import open_storage
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import running

TOKEN = "AQAD-token"
NOW = datetime.now(timezone.utc)


def picture(key: str) -> bytes:
    return b"\xff\xd8\xff" + key.encode()


def id_of(key: str) -> str:
    return hashlib.sha256(picture(key)).hexdigest()


class Toloka:
    """The stand-in, with the campaign of one day."""

    settle_seconds = 1.5

    def __init__(self, url: str, monitor: Any, folder: Path) -> None:
        self.url, self.monitor = url, monitor
        self.storage = open_storage(f"file://{folder}")
        self.ids = {key: id_of(key) for where in ("in", "t") for key in [f"{where}/{n}.jpg" for n in range(20)]}
        for key in self.ids:
            self.storage.write_bytes(key, picture(key))
        self.client = DriftwatchTolokaClient(TOKEN, url=url, limits=Limits(timeout=5, retries=2, backoff=0.01))
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"OAuth {TOKEN}"})
        self.links = ImageLinks(
            self.storage, "shown", NOW, NOW + timedelta(hours=9), ImageServer("http://127.0.0.1:9", "secret")
        )

    def state(self) -> dict[str, Any]:
        return self.http.get("/_sandbox/state").raise_for_status().json()

    def fault(self, **fault: Any) -> None:
        self.http.post("/_sandbox/faults", json=fault).raise_for_status()

    def no_faults(self) -> None:
        self.http.delete("/_sandbox/faults").raise_for_status()

    def carry_out(self, client: Any = None, **changes: Any) -> dict[str, Any]:
        key = "annotation.json"
        if self.storage.exists(key):
            plan = self.storage.read_json(key)
        else:
            plan = {
                "day": "2026-11-20",
                "state": "planned",
                "overlap": 3,
                "sample": [{"image_id": self.ids[key], "key": key} for key in self.ids if key.startswith("in/")],
                "control": [
                    {"image_id": self.ids[key], "key": key, "label": "cat"} for key in [f"t/{n}.jpg" for n in range(4)]
                ],
                "cost": cost_of(20, self.monitor.annotation),
                "expires": (NOW + timedelta(hours=5)).isoformat(timespec="seconds"),
                "links_expire": (NOW + timedelta(hours=9)).isoformat(timespec="seconds"),
                "exam": None,
                "project_id": None,
                "pool_id": None,
                "creations": {},
                "operation_ids": [],
                **changes,
            }
        campaign = Campaign(
            client or self.client,
            self.monitor,
            plan,
            lambda state: self.storage.write_json(key, state),
            NOW,
            settle_seconds=self.settle_seconds,
        )
        return campaign.carry_out(self.links)

    def one_complete_pool(self) -> None:
        """One project, one open pool, each image once."""
        state = self.state()
        assert len(state["projects"]) == 1
        (pool,) = state["pools"]
        assert pool["status"] == "OPEN"
        client = DriftwatchTolokaClient(TOKEN, url=self.url)
        tasks = list(client.get_tasks(pool_id=pool["id"]))
        assert sorted(task.input_values["image_id"] for task in tasks) == sorted(
            [self.ids[f"in/{number}.jpg"] for number in range(20)]
            + [self.ids[f"t/{number}.jpg"] for number in range(4)]
        )
        assert sum(bool(task.known_solutions) for task in tasks) == 4


@pytest.fixture
def monitor(root: Path):
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


@pytest.fixture
def toloka(tmp_path, monitor):
    with running(
        create_app(Settings(database=tmp_path / "toloka.db", token=TOKEN, crowd=False, operation_seconds=0.05))
    ) as url:
        yield Toloka(url, monitor, tmp_path)


def test_a_campaign_ends_with_one_open_pool_and_a_repeat_creates_nothing(toloka):
    first = toloka.carry_out()
    toloka.one_complete_pool()
    assert first["state"] == "opened"
    assert toloka.carry_out() == first
    toloka.one_complete_pool()


def test_a_lost_annotation_file_still_finds_the_pool(toloka):
    toloka.carry_out()
    toloka.storage.delete("annotation.json")
    toloka.carry_out()
    toloka.one_complete_pool()


@pytest.mark.parametrize("path", ["/v1/projects$", "/v1/pools$"])
@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("error_after_commit", InternalApiError, "injected fault error_after_commit"),
        ("drop_after", TolokaUnreachable, r"POST /api/v1/(projects|pools) .*sent once.*run the task again"),
    ],
)
def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(toloka, path, fault, error, said):
    toloka.fault(method="POST", path_regex=path, fault=fault, times=1)
    with pytest.raises(error, match=said):
        toloka.carry_out()
    toloka.carry_out()
    toloka.one_complete_pool()


@pytest.mark.parametrize("fault", ["error_after_commit", "drop_after", "drop_before", "html_502", "error_before"])
def test_a_passing_fault_of_the_upload_is_repeated_without_a_second_task(toloka, fault):
    toloka.fault(method="POST", path_regex="/v1/tasks", fault=fault, times=1)
    toloka.carry_out()
    toloka.one_complete_pool()


def test_an_upload_that_fails_opens_nothing_and_a_repeat_repairs_it(toloka):
    toloka.fault(method="POST", path_regex="/v1/tasks", fault="operation_fail", times=1)
    with pytest.raises(AnnotationFailed, match="not opened"):
        toloka.carry_out()
    assert [pool["status"] for pool in toloka.state()["pools"]] == ["CLOSED"]
    toloka.carry_out()
    toloka.one_complete_pool()


def test_a_poor_account_is_told_the_sum_before_anything_is_created(toloka):
    with pytest.raises(
        OverBudget, match=r"needs 100000\.00 USD: top the account up, then clear this task; nothing was created"
    ):
        toloka.carry_out(cost={"total": 100_000.0})
    assert toloka.state()["projects"] == []


def test_a_refused_login_says_where_to_look_and_never_shows_the_token(toloka):
    with pytest.raises(AccessRefused, match="Admin > Connections") as refused:
        toloka.carry_out(DriftwatchTolokaClient("wrong-token", url=toloka.url))
    assert "wrong-token" not in str(refused.value)


def test_a_proxys_page_that_stays_is_shown_as_such(toloka):
    toloka.fault(method="GET", path_regex="/v1/requester", fault="html_502", times=None)
    with pytest.raises(TolokaError, match=r"answered 502 .*a proxy in between.*Bad Gateway"):
        toloka.carry_out()


def test_retry_after_is_waited_for(toloka):
    import time

    toloka.fault(method="GET", path_regex="/v1/requester", fault="rate_limit", seconds=1, times=1)
    begun = time.monotonic()
    toloka.carry_out()
    assert time.monotonic() - begun >= 1
    toloka.one_complete_pool()


def exam(links_end: datetime) -> dict[str, Any]:
    keys = [f"t/{number}.jpg" for number in range(4)]
    tasks = [{"image_id": id_of(key), "key": key, "label": "dog"} for key in keys]
    return {
        "tasks": tasks,
        "passing_percent": 75,
        "retry_after_days": 30,
        "links_end": links_end.isoformat(timespec="seconds"),
    }


def test_the_exam_admits_annotators_and_serves_the_next_day_too_while_its_links_last(toloka):
    first = toloka.carry_out(exam=exam(NOW + timedelta(days=6)))
    (training,) = toloka.client.get_trainings()
    assert training.is_open()
    known = list(toloka.client.get_tasks(pool_id=training.id))
    assert {task.known_solutions[0].output_values["result"] for task in known} == {"dog"}
    assert {task.message_on_unknown_solution for task in known} == {"The right answer is dog."}
    requirement = toloka.client.get_pool(first["pool_id"]).quality_control.training_requirement
    assert (requirement.training_pool_id, requirement.training_passing_skill_value) == (training.id, 75)

    toloka.storage.delete("annotation.json")
    toloka.carry_out(day="2026-11-21", exam=exam(NOW + timedelta(days=7)))
    assert [item.id for item in toloka.client.get_trainings()] == [training.id]

    toloka.storage.delete("annotation.json")
    late = {"links_expire": (NOW + timedelta(days=6, hours=1)).isoformat(), "exam": exam(NOW + timedelta(days=8))}
    toloka.carry_out(day="2026-11-22", **late)
    assert len(list(toloka.client.get_trainings())) == 2


def test_a_creation_is_sent_again_only_after_a_refusal_for_the_rate(toloka):
    toloka.fault(method="POST", path_regex="/v1/pools$", fault="rate_limit", seconds=1, times=1)
    toloka.carry_out()
    toloka.one_complete_pool()


def test_a_pause_that_no_task_should_wait_for_fails_at_once_with_tolokas_reason(toloka):
    toloka.fault(method="GET", path_regex="/v1/requester", fault="rate_limit", seconds=3600, times=None)
    with pytest.raises(TooManyRequestsApiError, match="injected rate limit"):
        toloka.carry_out()
    assert len(toloka.http.get("/_sandbox/requests").json()) == 1


def test_a_slow_toloka_is_named_with_the_call_and_what_to_do(toloka):
    toloka.fault(method="POST", path_regex="/v1/pools$", fault="slow", seconds=2, times=1)
    hasty = DriftwatchTolokaClient(TOKEN, url=toloka.url, limits=Limits(timeout=0.5, retries=1, backoff=0.01))
    with pytest.raises(TolokaUnreachable, match=r"POST /api/v1/pools \(ReadTimeout.*time limit is 0\.5 s.*sent once"):
        toloka.carry_out(hasty)
    toloka.carry_out()
    toloka.one_complete_pool()


def test_an_archived_pool_of_the_day_is_found_and_not_made_anew(toloka):
    pool_id = toloka.carry_out()["pool_id"]
    toloka.client.close_pool(pool_id)
    toloka.client.archive_pool(pool_id)
    toloka.storage.delete("annotation.json")
    assert toloka.carry_out()["pool_id"] == pool_id
    assert len(toloka.state()["pools"]) == 1


@pytest.mark.parametrize(("reason", "opened"), [("NOT_ENOUGH_BALANCE", True), ("EXPIRED", True), ("MANUAL", False)])
def test_a_pool_that_stopped_early_goes_on_unless_a_person_closed_it(toloka, reason, opened):
    pool_id = toloka.carry_out()["pool_id"]
    toloka.fault(method="GET", path_regex="/v1/requester", fault="close_pool", reason=reason, times=1)
    toloka.client.get_requester()
    assert toloka.client.get_pool(pool_id).last_close_reason.value == reason
    toloka.carry_out()
    assert toloka.client.get_pool(pool_id).is_open() == opened
    assert len(toloka.state()["pools"]) == 1


def test_a_pool_whose_image_links_have_ended_is_not_opened_again(toloka):
    pool_id = toloka.carry_out()["pool_id"]
    toloka.fault(method="GET", path_regex="/v1/requester", fault="close_pool", reason="EXPIRED", times=1)
    toloka.client.get_requester()
    plan = toloka.storage.read_json("annotation.json")
    toloka.storage.write_json("annotation.json", plan | {"links_expire": NOW.isoformat()})
    toloka.carry_out()
    assert not toloka.client.get_pool(pool_id).is_open()


def test_a_listing_that_lags_behind_a_finished_upload_sends_no_task_twice(toloka):
    toloka.fault(method="POST", path_regex="/open$", fault="error_before", times=None)
    with pytest.raises(InternalApiError, match="injected fault error_before"):
        toloka.carry_out()
    toloka.no_faults()
    toloka.fault(method="GET", path_regex="/v1/tasks$", fault="list_lag", seconds=60, times=2)
    toloka.carry_out()
    toloka.one_complete_pool()


def test_a_creation_that_is_listed_too_late_leaves_one_pool_that_people_see(toloka):
    toloka.fault(method="POST", path_regex="/v1/pools$", fault="error_after_commit", times=1)
    with pytest.raises(InternalApiError, match="injected fault error_after_commit"):
        toloka.carry_out()
    toloka.fault(method="GET", path_regex="/v1/pools$", fault="list_lag", seconds=60, times=1)
    toloka.settle_seconds = 0
    toloka.carry_out()
    first, second = sorted(toloka.state()["pools"], key=lambda pool: int(pool["id"]))
    assert (first["status"], first["real_tasks"]) == ("OPEN", 20)
    assert (second["status"], second["real_tasks"]) == ("ARCHIVED", 0)
