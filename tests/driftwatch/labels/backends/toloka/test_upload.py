"""Each task is uploaded once, whatever Toloka answers, and nothing is opened before all are there."""

from __future__ import annotations

import pytest
from toloka.client.exceptions import InternalApiError

from driftwatch.labels.backends.toloka.upload import AnnotationFailed


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


def test_a_listing_that_lags_behind_a_finished_upload_sends_no_task_twice(toloka):
    toloka.fault(method="POST", path_regex="/open$", fault="error_before", times=None)
    with pytest.raises(InternalApiError, match="injected fault error_before"):
        toloka.carry_out()
    toloka.no_faults()
    toloka.fault(method="GET", path_regex="/v1/tasks$", fault="list_lag", seconds=60, times=2)
    toloka.carry_out()
    toloka.one_complete_pool()
