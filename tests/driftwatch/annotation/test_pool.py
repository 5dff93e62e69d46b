"""A day's campaign against the Toloka stand-in over real HTTP: killed at any request and repeated, it makes one pool."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from driftwatch.annotation.client import DriftwatchTolokaClient, TolokaError
from driftwatch.annotation.links import ImageLinks, ImageServer
from driftwatch.annotation.plan import OverBudget, cost_of
from driftwatch.annotation.pool import AnnotationFailed, Campaign
from driftwatch.errors import AccessRefused
from driftwatch.monitor_files import load_monitor
from driftwatch.storage import Storage
from driftwatch_sandbox.serving import running
from driftwatch_sandbox.toloka.app import Settings, create_app

TOKEN = "AQAD-token"
NOW = datetime.now(timezone.utc)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


class FragileClient(DriftwatchTolokaClient):
    """Dies at its nth request, before it is sent or after it was answered; counts what it sends."""

    def __init__(self, url: str, dies_at: int | None = None, after: bool = False) -> None:
        super().__init__(TOKEN, url=url, timeout=5, retries=2, backoff_seconds=0.01)
        self.sent, self.dies_at, self.after = 0, dies_at, after

    def _do_request_with_retries(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        self.sent += 1
        if self.sent == self.dies_at and not self.after:
            raise Killed
        response = super()._do_request_with_retries(method, path, **kwargs)
        if self.sent == self.dies_at:
            raise Killed
        return response


class Toloka:
    """The stand-in, with the campaign of one day."""

    def __init__(self, url: str, monitor: Any, folder: Path) -> None:
        self.url, self.monitor = url, monitor
        self.storage = Storage(f"file://{folder}")
        for number in range(20):
            self.storage.write_bytes(f"in/{number}.jpg", b"picture")
            self.storage.write_bytes(f"t/{number}.jpg", b"known picture")
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
                "sample": [{"image_id": f"id{number}", "key": f"in/{number}.jpg"} for number in range(20)],
                "control": [
                    {"image_id": f"known{number}", "key": f"t/{number}.jpg", "label": "cat"} for number in range(4)
                ],
                "cost": cost_of(20, self.monitor.annotation),
                "expires": (NOW + timedelta(hours=5)).isoformat(timespec="seconds"),
                "project_id": None,
                "pool_id": None,
                "operation_ids": [],
                **changes,
            }
        campaign = Campaign(
            client or FragileClient(self.url),
            self.monitor,
            plan,
            lambda state: self.storage.write_json(key, state),
            1.5,
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
            [f"id{number}" for number in range(20)] + [f"known{number}" for number in range(4)]
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


@pytest.mark.slow
def test_killed_before_or_after_any_request_a_repeat_ends_with_one_complete_pool(tmp_path, monitor):
    with running(
        create_app(Settings(database=tmp_path / "count.db", token=TOKEN, crowd=False, operation_seconds=0.05))
    ) as url:
        counting = FragileClient(url)
        Toloka(url, monitor, tmp_path / "count").carry_out(counting)
    assert counting.sent > 8
    for number in range(1, counting.sent + 1):
        for after in (False, True):
            name = f"{number}-{after}"
            with running(
                create_app(Settings(database=tmp_path / f"{name}.db", token=TOKEN, crowd=False, operation_seconds=0.05))
            ) as url:
                toloka = Toloka(url, monitor, tmp_path / name)
                with pytest.raises(Killed):
                    toloka.carry_out(FragileClient(url, number, after))
                opened_early = [
                    pool for pool in toloka.state()["pools"] if pool["status"] == "OPEN" and number < counting.sent - 3
                ]
                assert not opened_early, name
                toloka.carry_out()
                toloka.one_complete_pool()


@pytest.mark.parametrize("path", ["/v1/projects$", "/v1/pools$"])
@pytest.mark.parametrize("fault", ["error_after_commit", "drop_after"])
def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(toloka, path, fault):
    toloka.fault(method="POST", path_regex=path, fault=fault, times=1)
    with pytest.raises(Exception, match=r"."):
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
    with pytest.raises(OverBudget, match=r"needs 100000\.00 USD: top the account up; nothing was created"):
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
