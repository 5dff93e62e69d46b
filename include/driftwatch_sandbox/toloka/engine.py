"""The server's background thread: finishes operations, closes pools whose time or work is over, lets the crowd work."""

from __future__ import annotations

import logging
import threading
import time

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Sandbox
from driftwatch_sandbox.toloka.crowd import Crowd
from driftwatch_sandbox.toloka.desk import Desk

logger = logging.getLogger(__name__)
_LONGEST_SLEEP = 1.0
_HOUSEKEEPING_SECONDS = 30.0


class Engine:
    """Sleeps until something is due, at most a second. Without a `crowd` only the people at the `desk` answer, if there is a desk."""

    def __init__(self, box: Sandbox, crowd: Crowd | None, desk: Desk | None, speed: float) -> None:
        self._box = box
        self._crowd = crowd
        self._desk = desk
        self._speed = speed
        self._stopping = threading.Event()
        self._complete_since: dict[str, float] = {}
        self._housekeeping = 0.0
        self._thread = threading.Thread(target=self._run, name="toloka-engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._box.wake.set()
        self._thread.join(15)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._box.wake.clear()
            try:
                pause = self._step()
            except Exception:
                # A bad truth file must not stop the server. The log says what is wrong, and the next step tries again.
                logger.exception("the crowd stumbled; trying again")
                pause = _LONGEST_SLEEP
            self._box.wake.wait(min(pause, _LONGEST_SLEEP))

    def _step(self) -> float:
        self._box.operations.finish_due()
        now = time.time()
        if now >= self._housekeeping:
            self._box.exchange.accept_overdue()
            self._housekeeping = now + _HOUSEKEEPING_SECONDS
        if self._desk:
            self._desk.expire_overdue(now)
        pause = self._crowd.tick() if self._crowd else _LONGEST_SLEEP
        pause = min(pause, self._close_finished_pools())
        due = self._box.operations.next_due()
        return pause if due is None else min(pause, max(0.01, due - time.time()))

    def _close_finished_pools(self) -> float:
        """Closes pools that have expired or are complete. Returns the seconds until the next one may be due."""
        now = time.time()
        pause = _LONGEST_SLEEP
        exchange = self._box.exchange
        for pool in exchange.open_pools():
            if pool["type"] == "TRAINING":
                continue
            with self._box.store.transaction():
                complete = exchange.board(pool["id"]).is_complete()
            if times.seconds(pool["will_expire"]) <= now:
                exchange.close_pool(pool["id"], "EXPIRED")
            elif complete:
                since = self._complete_since.setdefault(pool["id"], now)
                delay = (pool.get("auto_close_after_complete_delay_seconds") or 0) / self._speed
                if now - since >= delay:
                    exchange.close_pool(pool["id"], "COMPLETED")
                    del self._complete_since[pool["id"]]
                pause = min(pause, max(0.02, delay))
            else:
                self._complete_since.pop(pool["id"], None)
        return pause
