"""A Toloka stand-in served over real HTTP, and toloka-kit's own client talking to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import httpx
import numpy as np
import pytest
import toloka.client as toloka
from fastapi import FastAPI
from starlette.responses import Response
from toloka.client.primitives.retry import SyncRetryingOverURLLibRetry

from driftwatch.config import MonitorConfig
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.private_files import write_private
from driftwatch_servers.serving import running

from .people import TOKENS

TOKEN = "AQAD-token"


class _Retrying(SyncRetryingOverURLLibRetry):
    """toloka-kit 1.2's retries on tenacity >= 8.4.2, whose `copy` passes other arguments."""

    def copy(self, **_: Any) -> _Retrying:
        return type(self)(
            base_url=self.base_url,
            retry=self.urllib3_retry,
            reraise=self.reraise,
            exception_to_retry=self.exception_to_retry,
        )


class KitClient(toloka.TolokaClient):
    """The unmodified client but for that."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.retrying = _Retrying(
            base_url=str(self._session.base_url),
            retry=self.retryer_factory(),
            reraise=True,
            exception_to_retry=self.EXCEPTIONS_TO_RETRY,
        )


class Market:
    """One running stand-in: `kit` is toloka-kit's client, `http` sends plain requests with the token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.kit = KitClient(TOKEN, url=url, retries=0)
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"OAuth {TOKEN}"}, timeout=10)

    def state(self) -> dict:
        return self.http.get("/_sandbox/state").raise_for_status().json()

    def pool_state(self, pool_id: str) -> dict:
        return next(pool for pool in self.state()["pools"] if pool["id"] == pool_id)

    def fault(self, **fault: Any) -> None:
        self.http.post("/_sandbox/faults", json=fault).raise_for_status()

    def project(self, answers: tuple[str, ...] = ("cat", "dog"), **changes: Any) -> toloka.Project:
        return self.kit.create_project(project_body(answers, **changes))

    def pool(self, project_id: str | None = None, real: int = 4, golden: int = 0, **changes: Any) -> toloka.Pool:
        return self.kit.create_pool(pool_body(project_id or self.project().id, real, golden, **changes))

    def finished(self, operation: Any, seconds: float = 10) -> Any:
        """The operation once it has ended; polls faster than the client's own `wait_operation`."""
        end = time.monotonic() + seconds
        while not operation.is_completed():
            assert time.monotonic() < end, f"{operation.id} is still {operation.status}"
            time.sleep(0.02)
            operation = self.kit.get_operation(operation.id)
        return operation

    def upload(self, pool_id: str, urls: list[str], **fields: Any) -> list[toloka.Task]:
        """Real tasks, in the order of `urls`; `known` makes control tasks with these answers."""
        known = fields.pop("known", None)
        for index, url in enumerate(urls):
            assert url, index
        items = [
            toloka.Task(pool_id=pool_id, input_values={"image": url, "image_id": str(index)}, **fields)
            for index, url in enumerate(urls)
        ]
        for item, answer in zip(items, known or [], strict=known is not None):
            item.known_solutions = [toloka.Task.KnownSolution(output_values={"result": answer})]
        operation = self.kit.create_tasks_async(items, operation_id=uuid4(), allow_defaults=True)
        self.finished(operation).raise_on_fail()
        known_before = {item.output["task_id"] for item in self.kit.get_operation_log(operation.id)}
        return [task for task in self.kit.get_tasks(pool_id=pool_id) if task.id in known_before]

    def open(self, pool_id: str) -> None:
        self.finished(self.kit.open_pool_async(pool_id)).raise_on_fail()

    def answer(self, pool_id: str, user: str, answers: dict[str, str], seconds: float = 40) -> httpx.Response:
        """One page by a worker of that name."""
        values = {task_id: {"result": answer} for task_id, answer in answers.items()}
        body = {"pool_id": pool_id, "user_id": user, "answers": values, "seconds": seconds}
        return self.http.post("/_sandbox/answers", json=body)

    def closed(self, pool_id: str, seconds: float = 20) -> toloka.Pool:
        """The pool once it has closed."""
        end = time.monotonic() + seconds
        while not (pool := self.kit.get_pool(pool_id)).is_closed():
            assert time.monotonic() < end, self.pool_state(pool_id)
            time.sleep(0.05)
        return pool


def project_body(answers: tuple[str, ...] = ("cat", "dog"), **changes: Any) -> toloka.Project:
    tb = toloka.project.template_builder
    body = toloka.Project(
        public_name="Cats or dogs",
        public_description="What does the photo show?",
        public_instructions="Choose one.",
        private_comment="driftwatch:test",
        task_spec=toloka.project.task_spec.TaskSpec(
            input_spec={"image": toloka.project.UrlSpec(), "image_id": toloka.project.StringSpec(hidden=True)},
            output_spec={"result": toloka.project.StringSpec(allowed_values=list(answers))},
            view_spec=toloka.project.TemplateBuilderViewSpec(
                view=tb.view.ImageViewV1(tb.data.InputData("image")), settings={"showSkip": True}
            ),
        ),
    )
    for name, value in changes.items():
        setattr(body, name, value)
    return body


def pool_body(project_id: str, real: int = 4, golden: int = 0, overlap: int = 3, **changes: Any) -> toloka.Pool:
    pool = toloka.Pool(
        **{
            "project_id": project_id,
            "private_name": "a day",
            "may_contain_adult_content": False,
            "reward_per_assignment": 0.05,
            "assignment_max_duration_seconds": 600,
            "will_expire": datetime.now(timezone.utc) + timedelta(days=1),
            "auto_accept_solutions": True,
            "defaults": toloka.Pool.Defaults(default_overlap_for_new_tasks=overlap),
            **changes,
        }
    )
    pool.set_mixer_config(real_tasks_count=real, golden_tasks_count=golden, min_real_tasks_count=1)
    return pool


@pytest.fixture
def serve_market(tmp_path: Path) -> Iterator[Callable[..., Market]]:
    """Starts stand-ins with other settings; each ends with the test."""
    with ExitStack() as servers:

        def start(**settings: Any) -> Market:
            fixed = {"database": tmp_path / "toloka.db", "token": TOKEN, "crowd": False, "operation_seconds": 0.05}
            return Market(servers.enter_context(running(create_app(Settings(**fixed | settings)))))

        yield start


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """One stand-in without a crowd for a module's tests, which each make pools of their own."""
    database = tmp_path_factory.mktemp("toloka") / "toloka.db"
    with running(create_app(Settings(database, TOKEN, crowd=False, operation_seconds=0.05))) as url:
        yield Market(url)


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(
        f"file://{tmp_path}/storage",
        annotation={
            "project_name": "Cat or dog?",
            "question": "Which animal is it?",
            "instructions": "<p>Choose the <b>larger</b> one.</p><img src=x onerror='window.hacked=1'><script>window.hacked=1</script>",
            "overlap": 1,
            "tasks_per_page": 9,
            "quality": {"fast_seconds": 1, "fast_max": 10},
        },
    )


@pytest.fixture
def images() -> Iterator[str]:
    """An image server: picture n has a grey of its own."""
    app = FastAPI()

    @app.get("/{number}.png")
    def picture(number: int) -> Response:
        pixels = np.full((40, 60, 3), 5 * number % 255, dtype=np.uint8)
        return Response(cv2.imencode(".png", pixels)[1].tobytes(), media_type="image/png")

    with running(app) as url:
        yield url


@pytest.fixture
def peoples_market(serve_market: Callable[..., Any], tmp_path: Path) -> Any:
    """A stand-in that people of the team may enter."""
    people = tmp_path / "people.json"
    write_private(people, json.dumps(TOKENS))
    return serve_market(people=people)
