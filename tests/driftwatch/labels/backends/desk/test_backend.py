"""What only the desk's backend does: new ends, fresh links, hours, and answers that are not the desk's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response

from driftwatch.artifacts.annotation import AnnotationPlan, KnownImage, SampledImage
from driftwatch.credentials import Access
from driftwatch.errors import NeedsAttention
from driftwatch.http import ServiceError
from driftwatch.labels.backends.base import AT_DAILY_LIMIT, LabelSite, Opening, Pool, backend_of
from driftwatch.labels.money import cost_of
from driftwatch_servers.serving import running

from ..desk_service import DeskService, desk

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Links:
    """Links whose signature is the moment at which they end. `last`: when what signs them ends."""

    expires: datetime
    last: datetime = NOW + timedelta(days=365)

    def end(self, wanted: datetime) -> datetime:
        return min(wanted, self.last)

    def link(self, image_id: str, key: str) -> str:
        return f"http://127.0.0.1:9/{key}?until={self.expires:%d-%H}"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeskService]:
    with desk(tmp_path, monkeypatch) as found:
        yield found


class Day:
    """A day whose plan is kept here."""

    def __init__(self, service: DeskService, config: Any, hours: float = 48) -> None:
        self.service, self.config = service, config
        images = [SampledImage(image_id=f"image{number}", key=f"{number}.jpg") for number in range(5)]
        self.plan = AnnotationPlan(
            day=DAY,
            state="planned",
            seed=0,
            overlap=2,
            sample=tuple(images),
            control=(KnownImage(image_id="known", key="k.jpg", label="cat"),),
            cost=cost_of(5, config.labels),
            project_id=None,
            pool_id=None,
            operation_ids=(),
            expires=NOW + timedelta(hours=hours),
            links_expire=NOW + timedelta(hours=hours + 4),
        )

    def open(self, links: Links | None = None) -> AnnotationPlan:
        return self._opened("find_or_create", links or Links(self.plan.links_expire))

    def renew(self, links: Links) -> AnnotationPlan:
        return self._opened("renew", links)

    def _opened(self, what: str, links: Links) -> AnnotationPlan:
        opening = Opening(self.plan, self.config, links, NOW, self._record, lambda: None)  # type: ignore[arg-type]
        self.plan = getattr(self.backend, what)(opening)
        return self.plan

    @property
    def backend(self) -> Any:
        return backend_of("desk", self.service.site)

    def shown(self, name: str) -> set[str]:
        """The addresses of the images on somebody's page."""
        page = self.service.browser(name).post(f"/pools/{self.plan.pool_id}/page", json={}).json()["page"]
        return {task["inputs"]["image"] for task in page["tasks"]}

    def _record(self, plan: AnnotationPlan) -> None:
        self.plan = plan


@pytest.fixture
def day(service: DeskService, small_monitor: Callable[..., Any]) -> Day:
    settings = {"backend": "desk", "price_per_hour": 18, "overlap": 2}
    return Day(service, small_monitor(annotation=settings))


def test_links_are_renewed_while_people_label_and_the_plan_says_until_when(day):
    day.open(Links(NOW, last=NOW + timedelta(hours=1)))
    assert day.plan.links_expire == NOW + timedelta(hours=1)
    assert all(f"until={day.plan.links_expire:%d-%H}" in link for link in day.shown("ann"))
    later = NOW + timedelta(hours=50)
    assert day.renew(Links(later)).links_expire == later
    assert all(f"until={later:%d-%H}" in link for link in day.shown("ann"))


def test_a_batch_that_nobody_has_seen_gets_a_new_end_where_its_own_is_nearly_over(day):
    day.plan = day.plan.model_copy(update={"expires": NOW + timedelta(hours=1)})
    opened = day.open()
    assert opened.expires == NOW + timedelta(hours=48)
    assert day.backend.look(Pool.of(opened, day.config.labels)).ends == opened.expires


def test_a_plan_that_is_made_anew_takes_the_end_of_the_batch_that_people_have_seen(day, service):
    first = day.open()
    again = Day(service, day.config, hours=72).open()
    assert (again.pool_id, again.expires, again.links_expire) == (first.pool_id, first.expires, first.links_expire)


def test_hours_are_counted_and_priced(day, service):
    pool = Pool.of(day.open(), day.config.labels)
    service.answer(pool, "ann", "cat", [image.image_id for image in day.plan.sample], seconds=360)
    done = day.backend.progress(pool)
    assert done.hours == pytest.approx(0.1, abs=0.01)
    assert done.spent == done.reward == pytest.approx(1.8, abs=0.1)
    assert done.text.endswith("5 of 10 answers, 0.1 hours, 1.80 USD spent")
    (paid,) = day.backend.collect(pool).drop_duplicates("assignment_id")["reward"]
    assert paid == pytest.approx(done.spent, abs=0.001)


def test_a_batch_that_was_opened_again_by_hand_goes_on(day, service):
    pool = Pool.of(day.open(), day.config.labels)
    day.backend.close(pool)
    day.plan = day.plan.model_copy(update={"state": "closed"})
    assert day.open().state == "closed"
    assert "batch reopen" in day.backend.remedy(AT_DAILY_LIMIT)
    service.reopen(str(day.plan.pool_id), 72)
    assert day.open(Links(NOW - timedelta(hours=1))).state == "opened"
    found = day.backend.look(pool)
    assert (found.is_open, found.ends) == (True, day.plan.expires)
    assert day.plan.links_expire == found.ends + timedelta(hours=4)
    assert all(f"until={day.plan.links_expire:%d-%H}" in link for link in day.shown("ann"))


@contextmanager
def answering(status: int, body: str, kind: str) -> Iterator[Any]:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "PUT", "POST"])
    def anything(path: str) -> Response:
        return Response(body, status, media_type=kind)

    with running(app) as url:
        access = Access("the Airflow connection c", url, "the-secret-token", {"retries": 0})
        yield backend_of("desk", LabelSite("c", lambda connection, secret: access))


@pytest.mark.parametrize(
    ("status", "body", "kind", "final"),
    [
        (502, "<html>Bad gateway</html>", "text/html", False),
        (404, "<html>Not found</html>", "text/html", False),
        (200, "<html>Welcome</html>", "text/html", False),
        (503, '{"message": "busy"}', "application/json", False),
        (429, '{"message": "too many wrong tokens"}', "application/json", False),
        (403, "<html>the-secret-token may not</html>", "text/html", True),
        (404, '{"message": "there is no batch"}', "application/json", True),
    ],
)
def test_what_a_proxy_answers_may_pass_and_what_the_desk_refuses_stays(status, body, kind, final):
    with answering(status, body, kind) as backend:
        with pytest.raises((ServiceError, NeedsAttention)) as failed:
            backend.look(Pool("k", 1, 1, 0.0))
        assert (backend.refusal(failed.value) is not None) is final
        assert "the-secret-token" not in str(failed.value)


def test_the_page_is_where_people_open_it():
    access = Access("c", "http://desk:8084", "token-1", {"page_url": "https://labels.example.org/"})
    backend = backend_of("desk", LabelSite("c", lambda connection, secret: access))
    plan = dataclasses.make_dataclass("Plan", ["pool_id"])("cats.2026-11-20")
    assert backend.page(plan) == "https://labels.example.org/#cats.2026-11-20"
