"""A training set that is learnt in seconds, and attempts that are killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from driftwatch.artifacts.models import TimedEpochRow
from driftwatch.models.training.base import Attempt, Labelled
from driftwatch.models.training.checkpoints import Checkpoints
from driftwatch.storage import open_storage


@pytest.fixture(scope="module", autouse=True)
def eager() -> Iterator[None]:
    """Tracing takes longer than so small a training; the kill test of the tasks (test_killed_tasks.py) is traced."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def pictures() -> Labelled:
    """Dark images of class 0 and light ones of class 1, 32 of 32 x 32 pixels."""
    rng, labels = np.random.default_rng(0), np.arange(32) % 2
    grey = rng.normal(90 + 60 * labels[:, None, None, None], 25, (32, 32, 32, 3))
    return Labelled(np.clip(grey, 0, 255).astype("uint8"), labels)


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    return Checkpoints(open_storage(f"file://{tmp_path}/kept"), "checkpoints")


class KilledError(Exception):
    pass


@pytest.fixture
def killed(kept: Checkpoints) -> Callable[..., None]:
    """Runs a training with these checkpoints until the epoch `after` has ended."""

    def run(train: Callable[[Attempt], object], after: int) -> None:
        def on_epoch(row: TimedEpochRow) -> None:
            if row.epoch == after:
                raise KilledError

        with pytest.raises(KilledError):
            train(Attempt(kept, on_epoch))

    return run
