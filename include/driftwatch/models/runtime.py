"""TensorFlow as Driftwatch runs it: a fixed number of threads, seeds set, deterministic operations.

Sums of floats depend on how the work was split, so the number of threads is a setting with a fixed default and not the
machine's number of cores: a repeated run on another number of cores is not
changed by that.
"""

from __future__ import annotations

import logging
import os

logger = logging.getLogger(__name__)

THREADS_VARIABLE = "DRIFTWATCH_THREADS"


def prepare(seed: int = 0) -> None:
    """Sets seeds, deterministic operations and threads ($DRIFTWATCH_THREADS, 2 by default) for this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    threads = int(os.environ.get(THREADS_VARIABLE, "2"))
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:  # TensorFlow fixes its threads with its first operation in the process
            logger.warning("TensorFlow was already running in this process, so it keeps its own number of threads")
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
