"""A day's campaign against the Toloka stand-in over real HTTP: killed at any request and repeated, it makes one pool."""

from __future__ import annotations

import pytest
from toloka.client.exceptions import InternalApiError, TooManyRequestsApiError

from driftwatch.artifacts import base
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.errors import AccessRefused
from driftwatch.http import Limits
from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient, TolokaError, TolokaUnreachable
from driftwatch.labels.money import OverBudget

from .campaigns import NOW, PLAN, TOKEN


def test_a_campaign_ends_with_one_open_pool_and_a_repeat_creates_nothing(toloka):
    first = toloka.carry_out()
    toloka.one_complete_pool()
    assert first.state == "opened"
    assert toloka.carry_out() == first
    toloka.one_complete_pool()


def test_a_lost_annotation_file_still_finds_the_pool(toloka):
    toloka.carry_out()
    toloka.storage.delete(PLAN)
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


def test_a_poor_account_is_told_the_sum_before_anything_is_created(toloka):
    with pytest.raises(
        OverBudget, match=r"needs 100000\.00 USD: top the account up, then clear this task; nothing was created"
    ):
        toloka.carry_out(cost=toloka.new_plan().cost.model_copy(update={"total": 100_000.0}))
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
    pool_id = toloka.carry_out().pool_id
    toloka.client.close_pool(pool_id)
    toloka.client.archive_pool(pool_id)
    toloka.storage.delete(PLAN)
    assert toloka.carry_out().pool_id == pool_id
    assert len(toloka.state()["pools"]) == 1


@pytest.mark.parametrize(("reason", "opened"), [("NOT_ENOUGH_BALANCE", True), ("EXPIRED", True), ("MANUAL", False)])
def test_a_pool_that_stopped_early_goes_on_unless_a_person_closed_it(toloka, reason, opened):
    pool_id = toloka.carry_out().pool_id
    toloka.fault(method="GET", path_regex="/v1/requester", fault="close_pool", reason=reason, times=1)
    toloka.client.get_requester()
    assert toloka.client.get_pool(pool_id).last_close_reason.value == reason
    toloka.carry_out()
    assert toloka.client.get_pool(pool_id).is_open() == opened
    assert len(toloka.state()["pools"]) == 1


def test_a_pool_whose_image_links_have_ended_is_not_opened_again(toloka):
    pool_id = toloka.carry_out().pool_id
    toloka.fault(method="GET", path_regex="/v1/requester", fault="close_pool", reason="EXPIRED", times=1)
    toloka.client.get_requester()
    plan = base.read(toloka.storage, PLAN, AnnotationPlan)
    base.write(toloka.storage, PLAN, plan.model_copy(update={"links_expire": NOW}))
    toloka.carry_out()
    assert not toloka.client.get_pool(pool_id).is_open()


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
