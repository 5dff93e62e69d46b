"""How Driftwatch runs TensorFlow: with a fixed number of threads, fixed seeds and deterministic operations.

The sum of floats depends on how the work was split among threads. So the number of threads is a setting with a fixed default. It does not
follow the number of cores, and a run on a machine with more or fewer cores gives the same result.
"""

from __future__ import annotations

import logging
import os

logger = logging.getLogger(__name__)

THREADS_VARIABLE = "DRIFTWATCH_THREADS"


def threads() -> int:
    """How many threads a model's operations get: $DRIFTWATCH_THREADS, 2 by default."""
    return int(os.environ.get(THREADS_VARIABLE, "2"))


def prepare(seed: int = 0) -> None:
    """Sets seeds, deterministic operations and threads ($DRIFTWATCH_THREADS, 2 by default) for this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    number = threads()
    if tf.config.threading.get_intra_op_parallelism_threads() != number:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(number)
            tf.config.threading.set_inter_op_parallelism_threads(number)
        except RuntimeError:  # after its first operation in a process TensorFlow no longer changes its threads
            logger.warning("TensorFlow was already running in this process, so it keeps its own number of threads")
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
