"""The stand-in's lists: pages, bounds, filters."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from .tasks import URLS


def test_all_pages_of_a_list_are_read_in_order(market):
    pool = market.pool()
    created = market.upload(pool.id, URLS[:25])
    assert [task.id for task in market.kit.get_tasks(pool_id=pool.id, batch_size=10)] == [task.id for task in created]
    first = market.kit.find_tasks(pool_id=pool.id, limit=10, sort=["-id"])
    assert (len(first.items), first.has_more, first.items[0].id) == (10, True, created[-1].id)
    last = market.kit.find_tasks(pool_id=pool.id, limit=25)
    assert (len(last.items), last.has_more) == (25, False)


def test_bounds_on_ids_hold_together_with_the_position_of_the_next_page(market):
    pool = market.pool()
    ids = [task.id for task in market.upload(pool.id, URLS[:10])]
    found = market.kit.get_tasks(pool_id=pool.id, id_gte=ids[2], id_lte=ids[8], batch_size=3)
    assert [task.id for task in found] == ids[2:9]


def test_lists_filter_by_status_dates_and_name(market):
    moment = datetime.now(timezone.utc)
    project = market.project()
    first, second = market.pool(project.id), market.pool(project.id)
    market.finished(market.kit.archive_pool_async(first.id))
    assert [p.id for p in market.kit.get_pools(project_id=project.id, status="CLOSED")] == [second.id]
    assert [p.id for p in market.kit.get_pools(project_id=project.id, created_gte=moment)] == [first.id, second.id]
    late = moment + timedelta(minutes=1)
    assert list(market.kit.get_pools(project_id=project.id, created_gt=late)) == []
    skill = market.kit.create_skill(name="cats", hidden=True)
    market.kit.create_skill(name="dogs")
    assert [s.id for s in market.kit.get_skills(name="cats")] == [skill.id]


@pytest.mark.parametrize("query", ["private_comment=x", "limit=0", "limit=301", "sort=reward", "created_gt=soon"])
def test_a_search_that_the_service_does_not_know_is_refused(market, query):
    answer = market.http.get(f"/api/v1/pools?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
