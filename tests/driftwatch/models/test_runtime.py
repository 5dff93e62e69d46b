"""TensorFlow as Driftwatch runs it: chance repeats itself, and a process that already runs is left as it is."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from driftwatch.models.runtime import THREADS_VARIABLE, prepare


def drawn(seed: int) -> np.ndarray:
    import tensorflow as tf

    prepare(seed)
    return np.concatenate([np.random.random(2), tf.random.normal((2,)).numpy()])


def test_the_same_seed_draws_the_same_numbers() -> None:
    first, again, other = drawn(3), drawn(3), drawn(4)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_threads_of_a_running_process_are_kept_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import tensorflow as tf

    drawn(0)  # TensorFlow runs from here on
    before = tf.config.threading.get_intra_op_parallelism_threads()
    monkeypatch.setenv(THREADS_VARIABLE, str(before + 1))
    with caplog.at_level(logging.WARNING):
        prepare()
    assert "keeps its own number of threads" in caplog.text
    assert tf.config.threading.get_intra_op_parallelism_threads() == before
