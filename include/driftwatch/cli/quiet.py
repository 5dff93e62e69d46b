"""Keeps what TensorFlow's C++ part tells of itself off the terminal: no setting of its own stops what it says while it is loaded."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Information and warnings, in its two formats; errors pass.
_CHATTER = re.compile(rb"(WARNING: All log messages before absl|[IW]\d{4} \d\d:|\d{4}-\d\d-\d\d [\d:.]+: [IW] )")
_STANDARD_ERROR = 2


@contextmanager
def quiet_tensorflow(debug: bool = False) -> Iterator[None]:
    """Drops TensorFlow's own lines from this process's standard error while the block runs; with `debug` nothing is dropped."""
    if debug:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    terminal = os.dup(_STANDARD_ERROR)
    reading, writing = os.pipe()
    os.dup2(writing, _STANDARD_ERROR)
    os.close(writing)

    def pass_on() -> None:
        with os.fdopen(reading, "rb") as lines, os.fdopen(terminal, "wb", buffering=0, closefd=False) as shown:
            for line in lines:
                if not _CHATTER.match(line):
                    shown.write(line)

    filtering = threading.Thread(target=pass_on, name="quiet-tensorflow", daemon=True)
    filtering.start()
    try:
        yield
    finally:
        os.dup2(terminal, _STANDARD_ERROR)  # closes the pipe's last writing end: the thread comes to its end
        filtering.join(5)
        os.close(terminal)
