"""Reading ahead: in order, and ended by anybody at any time."""

from __future__ import annotations

import asyncio
import gc
import threading

from driftwatch.storage.read_ahead import Fetched, read_ahead


def test_a_reading_that_garbage_collection_ends_on_the_thread_that_its_reads_need_does_not_wait_for_them():
    from fsspec.asyn import get_loop, sync

    loop = get_loop()
    forgotten = [read_ahead([str(n) for n in range(99)], lambda key: sync(loop, asyncio.sleep, 0.05, b"x"), 16, 1)]
    assert next(forgotten[0]) == Fetched("0", b"x")
    ended = threading.Event()
    loop.call_soon_threadsafe(lambda: (forgotten.clear(), gc.collect(), ended.set()))
    assert ended.wait(10), "fsspec's thread waits for reads that wait for it"
