"""Starts the demo's servers. Stops them all by their process ids, whatever happens."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

# How long a server may take to start, where the machine is busy. One that has ended is seen at once.
START_SECONDS = 300.0


class ServerFailed(Exception):
    """A server ended, or was not ready in time. The message has the end of its log."""


def free_port() -> int:
    """A loopback port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # a port that a stopped server used before counts as free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def lasting_port() -> int:
    """A free port of 127.0.0.1, from a range that the system does not give out by itself: it is most likely free the next time too."""
    candidates = (secrets.randbelow(12_000) + 20_000 for _ in range(1000))
    return next(port for port in candidates if is_free(port))


class Processes:
    """Child processes. Each leads its own process group, so that Ctrl-C reaches only this program, and this program stops them."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Starts a server, which runs until `stop`. Its output goes to logs/<name>.log."""
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - commands are this program's own
                list(command),
                env=dict(env),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._running[name] = process
        return process

    def run(
        self, name: str, command: Sequence[str], env: Mapping[str, str], tick: Callable[[], None] = lambda: None
    ) -> None:
        """Runs a command to its end. Raises ServerFailed if it fails."""
        process = self.start(name, command, env)
        while process.poll() is None:
            tick()
            time.sleep(0.2)
        del self._running[name]
        if process.returncode:
            raise ServerFailed(f"{name} ended with code {process.returncode}:\n{self.log_end(name)}")

    def log_end(self, name: str, lines: int = 15) -> str:
        """The last lines of a process's log."""
        path = self.logs / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:]) + f"\n(whole log: {path})"

    def check(self) -> None:
        """Raises ServerFailed if one of the servers has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ServerFailed(f"{name} ended with code {process.returncode}:\n{self.log_end(name)}")

    def wait_for(self, name: str, ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Waits until the server is ready."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            if ready():
                return
            time.sleep(0.25)
        raise ServerFailed(f"{name} was not ready within {seconds:.0f} s:\n{self.log_end(name)}")

    def wait_for_http(
        self, name: str, url: str, ready: Callable[[httpx.Response], bool], seconds: float = START_SECONDS
    ) -> None:
        """Waits until `ready` accepts the answer of `url`."""

        def answers() -> bool:
            with suppress(httpx.TransportError):
                return ready(httpx.get(url, timeout=5, trust_env=False))
            return False

        self.wait_for(name, answers, seconds)

    def forget(self, name: str) -> None:
        """Forgets a server that was killed on purpose."""
        self._running.pop(name).wait()

    def stop(self, seconds: float = 6) -> None:
        """Asks each process group to end, newest first. Kills those that do not end in time."""
        groups = [process.pid for process in reversed(self._running.values())]
        for process in reversed(self._running.values()):
            with suppress(ProcessLookupError):
                process.terminate()
        end = time.monotonic() + seconds
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
        for group in groups:
            # The leader's children (workers, supervisors) may run longer than it does.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for process in self._running.values():
            process.wait()
        self._running.clear()
