"""What benchmarks of single steps share: a monitor on the local disk, and a step measured in a process of its own, as a task is one."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore

DAY = date(2026, 1, 5)


def monitor_at(home: Path, **sections: Any) -> MonitorStore:
    """A monitor whose storage is in `home`. `sections`: of its file, in place of those here."""
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.config import MonitorConfig
    from driftwatch.storage import open_storage

    about = {
        "name": "bench", "description": "A benchmark.", "classes": ["cat", "dog"],
        "schedule": {"start_date": "2026-01-01"}, "storage": {"uri": f"file://{home}/storage"},
        "labels": {"backend": "toloka", "project_name": "-", "question": "-", "instructions": "-"}, "publish": {"sinks": ["local"]},
    }  # fmt: skip
    config = MonitorConfig.model_validate({**about, **sections})
    return MonitorStore(open_storage(config.storage.uri), config)


def alone(step: Callable[..., Any], *arguments: Any) -> Any:
    """The step's answer from a process of its own, so that its peak memory is its own. Raises what the step raises, and BrokenProcessPool
    where its process was killed."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(step, *arguments).result()


def timed(step: Callable[[], Any]) -> dict[str, float]:
    """`seconds` of processor time; this process's peak memory, in bytes, `before` the step and at its end (`peak`)."""
    before = peak_memory()
    seconds = processor_time(step)
    return {"seconds": seconds, "peak": peak_memory(), "before": before}


def processor_time(step: Callable[..., Any], *arguments: Any) -> float:
    """Seconds of the step, which other programs on the machine do not lengthen."""
    start = time.process_time()
    step(*arguments)
    return time.process_time() - start


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
