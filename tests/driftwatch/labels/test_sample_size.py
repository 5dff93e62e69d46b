"""The number of labels for a wanted width is the smallest that gives it."""

from __future__ import annotations

import pytest

from driftwatch.labels.sample_size import images_for_width
from driftwatch.models.metrics import share


@pytest.mark.parametrize(("width", "accuracy"), [(0.1, 0.9), (0.1, 0.5), (0.05, 0.7), (0.3, 1.0)])
def test_the_interval_is_as_narrow_as_wanted_and_would_not_be_with_fewer(width: float, accuracy: float) -> None:
    n = images_for_width(width, accuracy, 0.95)

    def wide(labels: int) -> float:
        around = [
            share(hits, labels, 0.95) for hits in (int(labels * accuracy), min(labels, int(labels * accuracy) + 1))
        ]
        below, above = (found["high"] - found["low"] for found in around)
        part = labels * accuracy % 1
        return (1 - part) * below + part * above

    assert wide(n) <= width + 1e-4
    assert wide(n - 1) > width - 1e-3
