"""The day's pool against the Toloka stand-in: however many create it at once, and however late, it is one pool with time left."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from toloka.client.exceptions import InternalApiError

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config.loader import load_monitor
from driftwatch.credentials import Access
from driftwatch.labels.backends.toloka.backend import TolokaBackend
from driftwatch.labels.creation import create_day_pool
from driftwatch.labels.links import ImageServer, LinkSigners
from driftwatch.labels.money import OverBudget
from driftwatch.outside import watching
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.lock import LockLost
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import running

TOKEN = "AQAD-token"
NOW = datetime.now(timezone.utc)
ENDS = NOW.replace(microsecond=0) + timedelta(hours=48)
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
_NUMBERS = itertools.count()
POOLS, PROJECTS = "toloka POST /api/v1/pools", "toloka POST /api/v1/projects"


def picture(key: str) -> bytes:
    return b"\xff\xd8\xff" + key.encode()


def image_id(key: str) -> str:
    return hashlib.sha256(picture(key)).hexdigest()


class Days:
    """The stand-in, and a storage with two days of four images."""

    def __init__(self, url: str, storage: Storage, monitor: Any) -> None:
        self.url, self.storage, self.monitor = url, storage, monitor
        self.layout = MonitorKeys(monitor.name)
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"OAuth {TOKEN}"})
        images = [(f"in/{number}.jpg", image_id(f"in/{number}.jpg"), "accepted") for number in range(4)]
        known = [
            (image_id(f"t/{number}.jpg"), "cat" if number % 2 else "dog", "evaluation", f"t/{number}.jpg")
            for number in range(4)
        ]
        for key in (*(row[0] for row in images), *(row[3] for row in known)):
            storage.write_bytes(key, picture(key))
        for day in (DAY, NEXT):
            storage.write_table(
                self.layout.day(day).manifest, pd.DataFrame(images, columns=["key", "image_id", "status"])
            )
        table = pd.DataFrame(known, columns=["image_id", "label", "split", "key"])
        storage.write_table(self.layout.training_set, table)

    def of_day(self, day: date = DAY, **annotation: Any) -> DayStore:
        settings = self.monitor.labels.model_copy(update=annotation)
        return MonitorStore(self.storage, self.monitor.model_copy(update={"labels": settings})).day(day)

    def create(self, day: date = DAY, now: datetime = NOW, **annotation: Any) -> AnnotationPlan:
        access = Access("the Toloka connection", self.url, TOKEN, {"timeout": 5, "retries": 0})
        signers = LinkSigners(ImageServer("http://127.0.0.1:9", "secret"))
        return create_day_pool(self.of_day(day, **annotation), TolokaBackend(lambda: access), signers, now)

    def plan(self, day: date = DAY) -> AnnotationPlan:
        return self.of_day(day).read(AnnotationPlan)

    def fault(self, path: str, fault: str, times: int | None = None) -> None:
        body = {"method": "POST", "path_regex": path, "fault": fault, "times": times}
        self.http.post("/_sandbox/faults", json=body).raise_for_status()

    def no_faults(self) -> None:
        self.http.delete("/_sandbox/faults").raise_for_status()

    def made(self) -> tuple[int, list[str]]:
        """The number of projects, and the status of each pool in the order of their creation."""
        projects, pools = (
            [item for item in self.http.get(f"/api/v1/{kind}?limit=300").json()["items"] if self.owns(item)]
            for kind in ("projects", "pools")
        )
        return len(projects), [pool["status"] for pool in sorted(pools, key=lambda pool: int(pool["id"]))]

    def owns(self, item: dict[str, Any]) -> bool:
        return item["private_comment"].startswith(f"driftwatch:{self.monitor.name}:")


@pytest.fixture(scope="module")
def monitor(root: Path) -> Any:
    loaded = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    settings = {"control_tasks": 4, "expire_hours": 48.0}
    return loaded.model_copy(update={"labels": loaded.labels.model_copy(update=settings)})


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("toloka") / "toloka.db"
    with running(create_app(Settings(database=database, token=TOKEN, crowd=False, operation_seconds=0.01))) as url:
        yield url


@pytest.fixture(params=["file", "s3"])
def days(request, tmp_path, monitor, url, monkeypatch) -> Iterator[Days]:
    monkeypatch.setattr("driftwatch.labels.backends.toloka.journal.SETTLE_SECONDS", 0.1)
    storage = open_storage(f"file://{tmp_path}") if request.param == "file" else request.getfixturevalue("s3_storage")
    # A monitor of its own name has a project of its own.
    found = Days(url, storage, monitor.model_copy(update={"name": f"m{next(_NUMBERS)}"}))
    yield found
    found.no_faults()
    found.http.close()


def test_hard_images_are_in_the_pool_like_the_others_and_the_strata_are_kept_before_it(tmp_path, monitor, url) -> None:
    storage = open_storage(f"file://{tmp_path}")
    days = Days(url, storage, monitor.model_copy(update={"name": f"m{next(_NUMBERS)}"}))
    keys, ids = days.layout.day(DAY), [image_id(f"in/{number}.jpg") for number in range(4)]
    table = {
        "image_id": ids,
        "prediction": ["cat"] * 4,
        "score.cat": [0.9, 0.6, 0.8, 0.7],
        "score.dog": [0.1, 0.4, 0.2, 0.3],
    }
    storage.write_table(keys.predictions, pd.DataFrame(table))
    chosen = {"sampling": "stratified", "extra_for_training": 1, "sample_size": 2}
    plan = days.create(**chosen)
    assert (len(plan.sample), len(plan.extra)) == (2, 1)
    tasks = days.http.get(f"/api/v1/tasks?pool_id={plan.pool_id}&limit=100").json()["items"]
    shown = {task["input_values"]["image_id"]: task for task in tasks if not task.get("known_solutions")}
    assert set(shown) == {image.image_id for image in plan.to_label}
    assert len({task["overlap"] for task in shown.values()}) == 1
    assert not any(word in str(task["input_values"]) for task in tasks for word in ("cat", "dog", "unsure"))
    assert sorted(storage.read_table(keys.strata)["image_id"]) == sorted(ids)
    assert days.create(**chosen) == plan
    days.http.close()


on_files = pytest.mark.parametrize("days", ["file"], indirect=True)
on_s3 = pytest.mark.parametrize("days", ["s3"], indirect=True)


@contextmanager
def before(what: str, act: Callable[[], None]) -> Iterator[None]:
    """Calls `act` before the first time that the outside is touched so."""
    waiting = [act]

    def watch(when: str, touched: str) -> None:
        if when == "before" and touched.endswith(what) and waiting:
            waiting.pop()()

    with watching(watch):
        yield
    assert not waiting, f"{what} was never touched"


class Beside(threading.Thread):
    """Another task that begins while the first is at work, and gets some time to go wrong."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self.work, self.result, self.error = work, None, None

    def run(self) -> None:
        try:
            self.result = self.work()
        except Exception as error:
            self.error = error

    def begins(self) -> None:
        self.start()
        self.join(0.3)


@pytest.mark.parametrize(("days", "at"), [("file", PROJECTS), ("file", POOLS), ("s3", PROJECTS)], indirect=["days"])
def test_two_who_create_one_day_at_once_make_one_project_and_one_pool(days, at):
    other = Beside(days.create)
    with before(at, other.begins):
        plan = days.create()
    other.join(30)
    assert other.error is None
    assert other.result == days.plan()
    assert other.result.pool_id == plan.pool_id
    assert days.made() == (1, ["OPEN"])


@on_files
def test_two_days_at_once_share_the_project_and_stay_within_the_months_limit(days):
    cost = days.create().cost.total
    day = date(2026, 11, 22)
    days.storage.copy(days.layout.day(NEXT).manifest, days.layout.day(day).manifest)
    limit = {"max_cost_per_month": 2.5 * cost}  # one more day
    other = Beside(lambda: days.create(day, **limit))
    with before("toloka GET /api/v1/requester", other.begins):  # planned, not yet written
        days.create(NEXT, **limit)
    other.join(30)
    assert isinstance(other.error, OverBudget)
    assert days.made() == (1, ["OPEN", "OPEN"])


@on_s3
@pytest.mark.parametrize(("at", "pools"), [("annotation.json", 1), (POOLS, 2)])
def test_a_task_that_was_frozen_and_wakes_up_opens_no_second_pool(days, at, pools):
    def taken_over() -> None:
        days.storage.write_bytes(days.layout.annotation_lock, b"free after a takeover")
        days.create()

    with (
        before(at, taken_over),
        pytest.raises(LockLost, match=r"taken over by another task.*nothing more is sent; run the task again"),
    ):
        days.create()
    # One that was frozen between its last look at the lock and the request itself leaves a pool that nobody sees.
    _, found = days.made()
    assert found.count("OPEN") == 1
    assert len(found) == pools
    opened = days.create()
    assert days.made()[1].count("OPEN") == 1
    assert days.http.get(f"/api/v1/pools/{opened.pool_id}").json()["status"] == "OPEN"


@on_files
@pytest.mark.parametrize("broken", ["/v1/projects$", "/v1/pools$"])
def test_a_creation_that_stays_broken_beyond_expire_hours_succeeds_once_it_works(days, broken):
    days.fault(broken, "error_before")
    for hours in (49, 1):
        with pytest.raises(InternalApiError, match="injected fault error_before"):
            days.create(now=NOW - timedelta(hours=hours))
    old = days.plan()
    days.no_faults()
    plan = days.create()
    assert days.made() == (1, ["OPEN"])
    assert plan.expires == ENDS > old.expires
    assert plan.links_expire == ENDS + timedelta(hours=4)
    assert plan.sample == old.sample
    assert f"expires={int((NOW + timedelta(hours=52)).timestamp())}" in links_of(days, plan.pool_id)


@on_files
def test_a_pool_that_arrived_unheard_is_found_first_and_keeps_its_end(days):
    days.fault("/v1/pools$", "error_after_commit", times=1)
    with pytest.raises(InternalApiError, match="injected fault error_after_commit"):
        days.create(now=NOW - timedelta(hours=2))
    plan = days.create()
    assert days.made() == (1, ["OPEN"])
    assert plan.expires == ENDS - timedelta(hours=2)


@on_files
@pytest.mark.parametrize(("hours", "broken"), [(47, "/v1/tasks"), (49, "/open$")])
def test_a_pool_that_was_never_opened_and_has_no_time_left_is_replaced(days, hours, broken):
    days.fault(broken, "error_before")
    with pytest.raises(InternalApiError, match="injected fault error_before"):
        days.create()
    days.no_faults()
    pool_id = days.plan().pool_id
    made = days.http.get(f"/api/v1/pools/{pool_id}").json()
    ends = (NOW + timedelta(hours=48 - hours)).strftime("%Y-%m-%dT%H:%M:%S")
    days.http.put(f"/api/v1/pools/{pool_id}", json={**made, "will_expire": ends}).raise_for_status()
    plan = days.create()
    assert days.made() == (1, ["ARCHIVED", "OPEN"])
    assert plan.expires == ENDS
    assert (plan.pool_id != pool_id, plan.dropped_pools) == (True, (pool_id,))
    assert f"expires={int((NOW + timedelta(hours=52)).timestamp())}" in links_of(days, plan.pool_id)
    assert days.create() == plan
    days.storage.delete(days.layout.day(DAY).annotation)
    assert days.create().pool_id == plan.pool_id
    assert days.made() == (1, ["ARCHIVED", "OPEN"])


def links_of(days: Days, pool_id: str) -> str:
    return days.http.get("/api/v1/tasks", params={"pool_id": pool_id}).raise_for_status().text
