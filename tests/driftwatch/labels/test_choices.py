"""What annotators can choose from."""

from __future__ import annotations

import pytest

from driftwatch.labels.choices import choices, choices_of

from .crowds import config


@pytest.mark.parametrize(("unclear", "offered"), [("unclear", ["cat", "dog", "unclear"]), (None, ["cat", "dog"])])
def test_the_unclear_answer_comes_last_where_there_is_one(unclear, offered):
    assert choices(("cat", "dog"), unclear) == offered
    assert choices_of(config(unclear_answer=unclear)) == offered
