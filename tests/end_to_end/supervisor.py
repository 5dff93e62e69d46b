"""What starts an ended server again, as a machine's supervisor does, and kills one as the machine would."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import psutil

from driftwatch_sandbox.demo.world import AIRFLOW_SERVERS, World

# As Docker's `restart: unless-stopped`: the wait doubles, and begins anew once a server has run for ten seconds.
FIRST_WAIT, LONGEST_WAIT, RAN_WELL = 0.1, 60.0, 10.0


class Supervisor:
    """Keeps Airflow's servers running until it is stopped. `restarts`: how often each was started again."""

    def __init__(self, world: World) -> None:
        self._world, self._over = world, threading.Event()
        self._servers: dict[str, Any] = {}
        self.restarts = dict.fromkeys(AIRFLOW_SERVERS, 0)
        self._threads = [threading.Thread(target=self._keep, args=(name,)) for name in AIRFLOW_SERVERS]

    def start(self) -> None:
        for name in AIRFLOW_SERVERS:
            self._begin(name)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            if thread.ident:
                thread.join()

    def kill(self, name: str) -> None:
        """Ends a server with all that it has started, without a word, as when its container's memory is used up."""
        server = psutil.Process(self._servers[name].pid)
        for each in [server, *server.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def _begin(self, name: str) -> None:
        self._servers[name] = self._world.processes.start(name, AIRFLOW_SERVERS[name], self._world.env)

    def _keep(self, name: str) -> None:
        wait, began = FIRST_WAIT, time.monotonic()
        while not self._over.wait(0.1):
            if self._servers[name].poll() is None:
                continue
            wait = FIRST_WAIT if time.monotonic() - began > RAN_WELL else min(2 * wait, LONGEST_WAIT)
            if self._over.wait(wait):
                return
            self.restarts[name] += 1
            began = time.monotonic()
            self._begin(name)
