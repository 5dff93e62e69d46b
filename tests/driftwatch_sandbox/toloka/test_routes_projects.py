"""The stand-in's projects, through toloka-kit's own client and plain requests."""

from __future__ import annotations

from datetime import datetime, timezone

import toloka.client as toloka


def test_a_project_reads_back_as_it_was_created(market):
    created = market.project()
    read = market.kit.get_project(created.id)
    assert read == created
    assert read.status.value == "ACTIVE"
    assert read.task_spec.output_spec["result"].allowed_values == ["cat", "dog"]
    assert read.task_spec.view_spec.config.view.url.path == "image"


def test_writing_an_object_back_with_its_read_only_fields_changes_only_what_may_change(market):
    project = market.project()
    created = project.created
    project.public_name, project.created = "Renamed", datetime(2000, 1, 1, tzinfo=timezone.utc)
    updated = market.kit.update_project(project.id, project)
    assert (updated.public_name, updated.created) == ("Renamed", created)
    pool = market.pool(project.id)
    pool.status, pool.private_name = toloka.Pool.Status.OPEN, "Renamed"
    pool._unexpected["made_up"] = 1
    updated = market.kit.update_pool(pool.id, pool)
    assert (updated.private_name, updated.status.value) == ("Renamed", "CLOSED")
    assert "made_up" not in market.http.get(f"/api/v1/pools/{pool.id}").json()


def test_an_impossible_project_is_a_validation_error_of_the_client(market):
    body = market.http.get(f"/api/v1/projects/{market.project().id}").json()
    body["task_spec"]["output_spec"]["result"]["type"] = "colour"
    del body["public_name"]
    answer = market.http.post("/api/v1/projects", json=body)
    assert set(answer.json()["payload"]) == {"public_name", "task_spec.output_spec.result.type"}


def test_a_project_is_archived_after_its_pools(market):
    project = market.project()
    pool = market.pool(project.id)
    assert market.http.post(f"/api/v1/projects/{project.id}/archive").json()["code"] == "UNARCHIVED_POOLS_CONFLICT"
    market.finished(market.kit.archive_pool_async(pool.id))
    market.finished(market.kit.archive_project_async(project.id))
    assert market.kit.get_project(project.id).status.value == "ARCHIVED"
