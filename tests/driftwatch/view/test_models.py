"""The registry as the models page tells it."""

from __future__ import annotations

import pytest

from driftwatch.view import models


@pytest.mark.parametrize(("n", "rows"), [(3, 3), (15, 15), (16, 1), (40, 1)])
def test_a_cards_classes_keep_their_order_and_many_are_counted(n: int, rows: int) -> None:
    classes = [f"c{place}" for place in range(n)][::-1]
    found = models.facts({"classes": classes, "data": {"class_balance": {name: 1 / n for name in sorted(classes)}}})
    told = [name for name, _ in found if name.startswith("data.class_balance")]
    assert len(told) == rows
    if rows == n:
        assert told == [f"data.class_balance.{name}" for name in classes]
