"""What is about to be created is recorded first, and what was created before is found again."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.labels.backends.toloka.journal import Journal

from ....artifacts import samples

PLAN = AnnotationPlan.model_validate_json(json.dumps(samples.PLANNED)).model_copy(
    update={"state": "planned", "creations": {}, "operation_ids": ()}
)


@pytest.fixture
def recorded() -> list[AnnotationPlan]:
    return []


@pytest.fixture
def journal(recorded) -> Journal:
    return Journal(PLAN, recorded.append, settle_seconds=0.05)


def test_a_creation_is_recorded_before_it_is_sent(journal, recorded):
    def create() -> SimpleNamespace:
        assert [(plan.state, plan.creations) for plan in recorded] == [("creating_pool", {"pool": 1})]
        return SimpleNamespace(id="7")

    assert journal.find_or_create("pool", list, create).id == "7"
    assert PLAN.creations == {}


def test_the_oldest_of_several_is_found_and_nothing_is_created(journal, recorded):
    found = [SimpleNamespace(id=name) for name in ("10", "9", "11")]
    assert journal.find_or_create("pool", lambda: found, lambda: pytest.fail("created")).id == "9"
    assert recorded == []


def test_a_listing_that_lags_is_waited_for_only_where_a_creation_was_sent(recorded):
    looks: list[int] = []

    def find() -> list[SimpleNamespace]:
        looks.append(1)
        return [SimpleNamespace(id="7")] if len(looks) > 1 else []

    assert Journal(PLAN, recorded.append, 0.05).find("pool", find) is None
    looks.clear()
    sent = PLAN.model_copy(update={"state": "creating_pool"})
    assert Journal(sent, recorded.append, 5).find("pool", find).id == "7"
    assert Journal(sent, recorded.append, 0.05).find("pool", list) is None


def test_a_listing_that_lagged_and_answers_late_is_asked_for_once_more(recorded):
    """A busy service answers when the time is over, with what it knew before."""
    looks: list[int] = []

    def find() -> list[SimpleNamespace]:
        looks.append(1)
        time.sleep(0.1)
        return [SimpleNamespace(id="7")] if len(looks) > 1 else []

    sent = PLAN.model_copy(update={"state": "creating_pool"})
    assert Journal(sent, recorded.append, 0.05).find("pool", find).id == "7"


def test_an_operation_is_noted_once(journal, recorded):
    journal.note_operation("a")
    journal.note_operation("a")
    journal.note_operation("b")
    assert [plan.operation_ids for plan in recorded] == [("a",), ("a", "b")]
    assert journal.plan.operation_ids == ("a", "b")
