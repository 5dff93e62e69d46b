"""What the tests of the Toloka stand-in share."""

from __future__ import annotations

import pytest

from .tasks import URLS


@pytest.fixture
def answered(market):
    """A pool judged by hand in which two workers answered two tasks each."""
    pool = market.pool(auto_accept_solutions=False, overlap=2)
    ids = [task.id for task in market.upload(pool.id, URLS[:2])]
    market.open(pool.id)
    for user, answers in {"ann": ("cat", "dog"), "bob": ("cat", "cat")}.items():
        assert market.answer(pool.id, user, dict(zip(ids, answers, strict=True)), seconds=30).status_code == 201
    return pool
